import IKECrypto
import IKEv2
import Primitives
import Workload

/// Keys, certificates and lists of a run, made ready once and shared by all of its workers.
struct AuthenticationMaterial: Sendable {
    /// By profile, as the others of clients.
    let identities: [IdentityTemplate]
    let clients: [AuthenticationPolicy]
    /// By gateway.
    let gateways: [AuthenticationPolicy]
    /// By fault.
    let rollovers: [RolloverMaterial?]

    /// - Throws: what is wrong with a certificate or a key, in words.
    init(_ workload: Workload) throws(AuthenticationProblem) {
        var identities: [IdentityTemplate] = []
        var clients: [AuthenticationPolicy] = []
        for profile in workload.profiles {
            let listed = profile.identity.file.map { IdentityTemplate(IdentityList($0)) }
            identities.append(listed ?? IdentityTemplate(profile.identity.description))
            clients.append(try AuthenticationPolicy(profile.authentication, .client, epoch: workload.run.epoch))
        }
        var gateways: [AuthenticationPolicy] = []
        for gateway in workload.gateways {
            let authentication = gateway.policy.authentication
            gateways.append(try AuthenticationPolicy(authentication, .server, epoch: workload.run.epoch))
        }
        self.identities = identities
        self.clients = clients
        self.gateways = gateways
        rollovers = try RolloverMaterial.all(of: workload)
    }

    /// The same for a workload whose files were looked at before.
    init(prepared workload: Workload) {
        do throws(AuthenticationProblem) {
            try self.init(workload)
        } catch {
            preconditionFailure("a prepared workload's certificates can be read: \(error.text)")
        }
    }
}

/// What is wrong with a file of keys or certificates.
struct AuthenticationProblem: Error {
    var text: String
}

extension AuthenticationPolicy {
    init(
        _ authentication: Workload.Authentication,
        _ role: TLSRole,
        epoch: Int64
    ) throws(AuthenticationProblem) {
        self.init()
        self.epoch = epoch
        if let eap = authentication.eap { self.eap = try EAPPolicy(eap, role) }
        // Of a gateway that wants EAP the key is its own proof alone.
        acceptsSharedKey = authentication.sharedKey != nil && (eap == nil || role == .client)
        switch authentication.sharedKey {
        case .derived(let secret): keys = .derived(secret: Array(secret.utf8))
        case .listed(let file): keys = .listed(IdentityList(file))
        case .one, .none: break
        }
        credentials = (authentication.credentials?.credentials ?? []).map {
            Credential(privateKey: $0.privateKey, certificates: $0.certificates)
        }
        schemes = authentication.signatures.map { SignatureScheme($0) }
        if let file = authentication.credentials { try Self.validate(credentials, of: file) }
        if let file = authentication.authorities {
            do throws(CryptoError) {
                anchors = try TrustAnchors(file.certificates)
            } catch {
                throw AuthenticationProblem(text: "\(file.path) has a certificate that cannot be read")
            }
        }
    }

    /// Looks at the first credentials, and at the last one: a file is made in one way.
    private static func validate(
        _ credentials: [Credential],
        of file: Workload.CredentialFile
    ) throws(AuthenticationProblem) {
        for (place, credential) in credentials.enumerated() where place < 16 || place == credentials.count - 1 {
            do throws(CryptoError) {
                try credential.validate()
            } catch {
                let number = credentials.count == 1 ? "its" : "number \(place + 1)'s"
                let problem =
                    error == .unusableCertificate
                    ? "a certificate of \(number) chain cannot be read"
                    : "\(number) private key cannot be read, or is not that of its certificate"
                throw AuthenticationProblem(text: "\(file.path): \(problem)")
            }
        }
    }
}

extension IdentityList {
    convenience init(_ file: Workload.IdentityFile) {
        self.init(file.entries.map { Entry(identity: $0.identity, key: Array(($0.key ?? "").utf8)) })
    }
}

extension SignatureScheme {
    init(_ name: Workload.SignatureName) {
        self =
            switch name {
            case .ed25519: .ed25519
            case .ecdsaSHA256: .ecdsaSHA256
            case .ecdsaSHA384: .ecdsaSHA384
            case .ecdsaSHA512: .ecdsaSHA512
            case .rsaPSSSHA256: .rsaPSSSHA256
            case .rsaPSSSHA384: .rsaPSSSHA384
            case .rsaPSSSHA512: .rsaPSSSHA512
            case .rsaPKCS1SHA256: .rsaPKCS1SHA256
            case .rsaPKCS1SHA384: .rsaPKCS1SHA384
            case .rsaPKCS1SHA512: .rsaPKCS1SHA512
            case .ecdsaP256: .ecdsaP256
            case .ecdsaP384: .ecdsaP384
            case .ecdsaP521: .ecdsaP521
            case .rsaSHA1: .rsaSHA1
            }
    }
}
