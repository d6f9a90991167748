import IKECrypto
import IKEv2
import Primitives
import Workload

extension EAPPolicy {
    /// What a workload says of EAP, with its certificates made ready.
    init(_ eap: Workload.EAP, _ role: TLSRole) throws(AuthenticationProblem) {
        var methods: [Method] = []
        for method in eap.methods {
            switch method {
            case .md5: methods.append(.md5Challenge)
            case .gtc: methods.append(.gtc)
            case .mschapv2: methods.append(.mschapv2)
            case .tls: methods.append(.tls(try Self.configurations(eap, role)))
            }
        }
        self.init(methods: methods)
        identity = eap.identity.map { IdentityTemplate($0.description) }
        isOnly = eap.isOnly
        asksIdentity = eap.asksIdentity
        switch eap.password {
        case .one(let text): password = Array(text.utf8)
        case .derived(let secret): passwords = .derived(secret: Array(secret.utf8))
        case .listed(let file): passwords = .listed(IdentityList(file))
        case .none: break
        }
    }

    /// One for each credential of the file.
    private static func configurations(
        _ eap: Workload.EAP,
        _ role: TLSRole
    ) throws(AuthenticationProblem) -> [TLSConfiguration] {
        guard let file = eap.credentials, let authorities = eap.authorities else {
            preconditionFailure("a validated workload's EAP-TLS has certificates and authorities")
        }
        let anchors = pem("CERTIFICATE", authorities.certificates)
        var configurations: [TLSConfiguration] = []
        for credential in file.credentials {
            let chain = pem("CERTIFICATE", credential.certificates)
            configurations.append(try configuration(credential, role, chain: chain, anchors: anchors, of: file.path))
        }
        return configurations
    }

    /// A private key is PKCS #8, or has a structure of its own.
    private static func configuration(
        _ credential: Workload.CredentialFile.Credential,
        _ role: TLSRole,
        chain: [UInt8],
        anchors: [UInt8],
        of path: String
    ) throws(AuthenticationProblem) -> TLSConfiguration {
        for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
            do throws(TLSConfigurationError) {
                let key = pem(label, [credential.privateKey])
                return try TLSConfiguration(role: role, chain: chain, key: key, trustAnchors: anchors)
            } catch {
                guard error != .unreadableKey else { continue }
                throw AuthenticationProblem(text: "\(path): a certificate for EAP-TLS cannot be read")
            }
        }
        throw AuthenticationProblem(text: "\(path): a private key for EAP-TLS is not that of its certificate")
    }

    private static func pem(_ label: String, _ blocks: [[UInt8]]) -> [UInt8] {
        Array(blocks.map { PEM.text(label, $0) }.joined().utf8)
    }
}
