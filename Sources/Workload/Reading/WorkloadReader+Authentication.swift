import Primitives

extension WorkloadReader {
    mutating func authentication(_ outer: RecordView) -> Workload.Authentication {
        let view = outer.view("authentication")
        var authentication = Workload.Authentication(sharedKey: sharedKey(view, "psk"))
        authentication.credentials = file(view, "certificates") { text, path throws(UnitProblem) in
            try Workload.CredentialFile(text: text, path: path)
        }
        authentication.authorities = file(view, "authorities") { text, path throws(UnitProblem) in
            try Workload.AuthorityFile(text: text, path: path)
        }
        if view.has("signatures") {
            authentication.signatures = view.keywords("signatures", as: Workload.SignatureName.self)
        }
        authentication.eap = eap(view)
        let keys = keys("psk", of: view)
        if let eap = authentication.eap {
            let hasProof = !keys.isEmpty || view.has("certificates") || view.has("authorities")
            if !hasProof, !eap.isOnly {
                fail(view.mark("eap"), "there is no proof of who the gateway is", "write `psk`, or certificates")
            }
            return authentication
        }
        if outer.has("authentication"), keys.isEmpty, !view.has("certificates") {
            fail(outer.mark("authentication"), "there is no proof of who this end is", "write `psk` or `certificates`")
        }
        if outer.has("authentication"), keys.isEmpty, view.has("certificates"), !view.has("authorities") {
            fail(
                outer.mark("authentication"),
                "there is nothing that the other end could prove itself by",
                "write `authorities`, or a `psk`"
            )
        }
        return authentication
    }

    /// The keys of a record that say what is shared with clients; one of them at most is written.
    mutating func keys(_ key: String, of view: RecordView) -> [String] {
        let keys = [key, "\(key)-derived", "\(key)-file"].filter { view.has($0) }
        if keys.count > 1 {
            fail(view.mark(keys[1]), "`\(keys[1])` has no meaning beside `\(keys[0])`", "write one of them")
        }
        return keys
    }

    /// What is shared with clients: one key for all, derived ones, or a file of them.
    mutating func sharedKey(_ view: RecordView, _ key: String) -> Workload.SharedKey? {
        if view.has("\(key)-derived") { return .derived(secret: view.text("\(key)-derived")) }
        if view.has("\(key)-file") {
            let read = file(view, "\(key)-file") { text, path throws(UnitProblem) in
                let file = try Workload.IdentityFile(text: text, path: path)
                if let without = file.entries.first(where: { $0.key == nil }) {
                    throw UnitProblem("`\(path)` has no key for \(without.identity)", "write it behind a comma")
                }
                return file
            }
            return read.map { .listed($0) }
        }
        return view.has(key) ? .one(view.text(key)) : nil
    }

    /// The identity of a profile: a template, or the file that lists its clients'.
    mutating func identity(_ view: RecordView) -> Workload.IdentityTemplate {
        let nobody = Workload.IdentityTemplate(prefix: "", digits: 1, suffix: "")
        guard view.value("identity")?.scalar == nil else {
            return view.read("identity", or: nobody) { text throws(UnitProblem) in try Identities.template(text) }
        }
        let listed = file(view.view("identity"), "file") { text, path throws(UnitProblem) in
            try Workload.IdentityFile(text: text, path: path)
        }
        guard let listed else { return nobody }
        return Workload.IdentityTemplate(listed)
    }

    /// What a file that the workload names holds; nil where none is named or it cannot be read, which is told.
    mutating func file<Content>(
        _ view: RecordView,
        _ key: String,
        _ read: (String, String) throws(UnitProblem) -> Content
    ) -> Content? {
        guard view.has(key), let path = view.value(key)?.scalar, !path.isEmpty else { return nil }
        do throws(UnitProblem) {
            return try read(try readFile(path), absolutePath(path))
        } catch {
            fail(view.mark(key), error.problem, error.remedy)
            return nil
        }
    }
}
