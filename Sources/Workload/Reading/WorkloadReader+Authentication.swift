import Primitives

extension WorkloadReader {
    mutating func authentication(_ outer: RecordView) -> Workload.Authentication {
        let view = outer.view("authentication")
        var authentication = Workload.Authentication(sharedKey: sharedKey(view))
        authentication.credentials = file(view, "certificates") { text, path throws(UnitProblem) in
            try Workload.CredentialFile(text: text, path: path)
        }
        authentication.authorities = file(view, "authorities") { text, path throws(UnitProblem) in
            try Workload.AuthorityFile(text: text, path: path)
        }
        if view.has("signatures") {
            authentication.signatures = view.keywords("signatures", as: Workload.SignatureName.self)
        }
        let keys = ["psk", "psk-derived", "psk-file"].filter { view.has($0) }
        if keys.count > 1 {
            fail(view.mark(keys[1]), "`\(keys[1])` has no meaning beside `\(keys[0])`", "write one of them")
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

    private mutating func sharedKey(_ view: RecordView) -> Workload.SharedKey? {
        if view.has("psk-derived") { return .derived(secret: view.text("psk-derived")) }
        if view.has("psk-file") {
            let read = file(view, "psk-file") { text, path throws(UnitProblem) in
                let file = try Workload.IdentityFile(text: text, path: path)
                if let without = file.entries.first(where: { $0.key == nil }) {
                    throw UnitProblem("`\(path)` has no key for \(without.identity)", "write it behind a comma")
                }
                return file
            }
            return read.map { .listed($0) }
        }
        return view.has("psk") ? .one(view.text("psk")) : nil
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
    private mutating func file<Content>(
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
