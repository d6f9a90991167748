/// What Wireshark needs to know IKE on ports that are not 500 and 4500: the file `decode_as_entries` of its profile.
package enum DecodeAs {
    package static let fileName = "decode_as_entries"

    /// - Parameter ports: where each gateway takes IKE_SA_INIT, and where it takes what has a non-ESP marker in front.
    /// - Returns: the file's text, empty where every port is the registered one.
    package static func entries(_ ports: [(plain: UInt16, encapsulated: UInt16)]) -> String {
        var lines: [String] = []
        for (plain, encapsulated) in ports {
            if plain != 500 { lines.append("decode_as_entry: udp.port,\(plain),(none),ISAKMP\n") }
            if encapsulated != 4500 { lines.append("decode_as_entry: udp.port,\(encapsulated),(none),UDPENCAP\n") }
        }
        // Two gateways may share a port.
        return lines.indices.filter { !lines[..<$0].contains(lines[$0]) }.map { lines[$0] }.joined()
    }
}
