// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The layers, bottom first: a module imports only what stands on its line. `swift test` with FOCUS=IKEWire builds that
// module, what it needs and its own tests; FUZZ=1 adds the fuzz targets.
let layers: [(module: String, imports: [Target.Dependency])] = [
    ("Primitives", []),
    ("Metrics", ["Primitives", .product(name: "Histogram", package: "hdrhistogram-swift")]),
    ("IKEWire", ["Primitives"]),
    (
        "IKECrypto",
        [
            "Primitives", "COpenSSL", "CBoringSSL", "CIPsecMB", "CCryptoMB",
            .product(name: "Crypto", package: "swift-crypto"),
        ]
    ),
    ("Simulation", ["Primitives", "CPrefetch"]),
    ("EAP", ["Primitives", "IKECrypto"]),
    ("RADIUS", ["Primitives", "IKECrypto"]),
    (
        "IKEv2",
        ["Primitives", "IKEWire", "IKECrypto", "EAP", .product(name: "BasicContainers", package: "swift-collections")]
    ),
    ("ESP", ["Primitives", "IKEWire", "IKECrypto"]),
    ("UDPTransport", ["Primitives", "CLinux"]),
    ("Workers", ["Primitives", "CLinux"]),
    ("Capture", ["Primitives", "IKEWire"]),
    ("Load", ["Primitives", "Metrics", "IKEWire", "IKECrypto", "IKEv2", "Simulation"]),
    ("Gateway", ["Primitives", "Metrics", "IKEWire", "IKECrypto", "IKEv2", "Simulation"]),
    ("Workload", ["Primitives", "Metrics", "IKEWire", .product(name: "Yams", package: "Yams")]),
    ("Results", ["Primitives", "Metrics"]),
    ("Inspection", ["Primitives", "IKEWire", "IKECrypto", "Capture"]),
    (
        "Runner",
        [
            "Primitives", "Metrics", "IKEWire", "IKECrypto", "Simulation", "RADIUS", "IKEv2", "ESP", "UDPTransport",
            "Workers", "Capture", "Load", "Gateway", "Workload", "Results", "Inspection",
            .product(name: "BasicContainers", package: "swift-collections"),
            .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
]

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .enableExperimentalFeature("RawLayout"),
]

let systemModules: [Target] = [
    .target(
        name: "COpenSSL",
        cSettings: [.define("OPENSSL_SUPPRESS_DEPRECATED")],
        linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
    ),
    .target(
        name: "CBoringSSL",
        dependencies: [.product(name: "Crypto", package: "swift-crypto")]
    ),
    // Linked with nothing: they load their libraries where there are any.
    .target(name: "CIPsecMB", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CCryptoMB", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CLinux"),
    .target(name: "CPrefetch"),
    .target(name: "CMemory", linkerSettings: [.linkedLibrary("mimalloc")]),
]

/// What a test target reads from beside its sources: golden files and published vectors.
func data(of target: String) -> [String] {
    ["Golden", "Vectors", "Corpus"].filter {
        FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/Tests/\(target)/\($0)")
    }
}

var targets = systemModules
// Of the tests alone: a malloc that counts, in the one program that all of them are.
targets.append(.target(name: "CAllocations", path: "Tests/CAllocations"))
for layer in layers {
    targets.append(.target(name: layer.module, dependencies: layer.imports, swiftSettings: settings))
    targets.append(
        .testTarget(
            name: layer.module + "Tests",
            dependencies: [.byName(name: layer.module)] + layer.imports
                + (["ESP", "Runner"].contains(layer.module) ? ["CAllocations"] : []),
            exclude: data(of: layer.module + "Tests"),
            swiftSettings: settings
        )
    )
}

let commandImports: [Target.Dependency] =
    ["CMemory", "Runner", "Workers", "Workload", "Results", "Metrics", "Primitives"]
    + [.product(name: "ArgumentParser", package: "swift-argument-parser")]
targets.append(.executableTarget(name: "ikestorm", dependencies: commandImports, swiftSettings: settings))
targets.append(
    .executableTarget(
        name: "microbench",
        dependencies: [
            "CMemory", "COpenSSL", "CIPsecMB", "Primitives", "Metrics", "IKEWire", "IKECrypto", "IKEv2", "ESP",
            "Simulation",
            "Gateway", "UDPTransport", "Workers", "Workload", "Results", "Runner",
        ],
        swiftSettings: settings
    )
)
targets.append(.testTarget(name: "TidyTests", swiftSettings: settings))
targets.append(
    .testTarget(
        name: "CommandTests",
        dependencies: ["ikestorm", "GatewayRig"],
        exclude: data(of: "CommandTests"),
        swiftSettings: settings
    )
)
targets.append(.target(name: "GatewayRig", path: "Tests/GatewayRig", swiftSettings: settings))
targets.append(
    .testTarget(
        name: "RealGatewayTests",
        dependencies: [
            "GatewayRig", "Runner", "Workload", "Results", "Metrics", "IKEv2", "IKEWire", "Primitives", "Capture",
            "Inspection",
        ],
        swiftSettings: settings
    )
)
targets.append(
    .testTarget(
        name: "FreeRADIUSTests",
        dependencies: ["GatewayRig", "EAP", "RADIUS", "IKECrypto", "Primitives"],
        swiftSettings: settings
    )
)

targets.append(
    .target(
        name: "FuzzBodies",
        dependencies: [
            "Primitives", "IKEWire", "IKECrypto", "IKEv2", "ESP", "EAP", "RADIUS", "Capture", "Inspection", "Runner",
        ],
        path: "Tests/Fuzz/Bodies",
        swiftSettings: settings
    )
)
targets.append(
    .testTarget(name: "FuzzTests", dependencies: ["FuzzBodies", "Primitives"], swiftSettings: settings)
)

// The fuzz targets themselves want `--sanitize fuzzer`, which brings their main.
if Context.environment["FUZZ"] == "1" {
    for name in [
        "FuzzMessage", "FuzzCapture", "FuzzReassembly", "FuzzEAP", "FuzzRADIUS", "FuzzProof", "FuzzInspection",
        "FuzzESP", "FuzzKeys", "FuzzRecording",
    ] {
        targets.append(
            .executableTarget(
                name: name,
                dependencies: ["FuzzBodies"],
                path: "Tests/Fuzz/" + name,
                swiftSettings: settings
            )
        )
    }
}

var dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
]

if let focus = Context.environment["FOCUS"] {
    var wanted: Set<String> = []
    func want(_ name: String) {
        guard wanted.insert(name).inserted, let target = targets.first(where: { $0.name == name }) else { return }
        for case .byNameItem(let needed, _) in target.dependencies { want(needed) }
    }
    for name in focus.split(separator: ",") {
        want(String(name))
        want(name + "Tests")
    }
    targets.removeAll { !wanted.contains($0.name) }
    // A package that no remaining target uses is not fetched or built.
    let products = Set(
        targets.flatMap { target in
            target.dependencies.compactMap { if case .productItem(_, let package, _, _) = $0 { package } else { nil } }
        }
    )
    dependencies.removeAll { dependency in
        guard case .sourceControl(_, let location, _) = dependency.kind else { return false }
        return !products.contains { location.hasSuffix("/" + $0) }
    }
}

let package = Package(
    name: "ikestorm",
    dependencies: dependencies,
    targets: targets,
    swiftLanguageModes: [.v6]
)
