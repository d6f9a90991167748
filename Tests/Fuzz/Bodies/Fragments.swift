import IKEWire
import IKEv2
import Primitives

/// Takes any octets as fragments of a message.
///
/// Each three octets are a fragment: its number, the total, how many octets it holds, all of them its number. What is
/// joined has every fragment of one total once, in order, and no more than is taken.
package func fuzzReassembly(_ input: [UInt8]) {
    var partial: Reassembly?
    for place in stride(from: 0, to: input.count - 2, by: 3) {
        let (number, total, length) = (Int(input[place]), Int(input[place + 1]), Int(input[place + 2]) * 64)
        guard number >= 1, number <= total else { continue }
        let fragment = FragmentPlace(number: number, total: total)
        var reassembly = partial ?? Reassembly(of: total, .ikeAuth)
        partial = reassembly
        guard reassembly.wants(fragment, .ikeAuth) else { continue }
        let part = [UInt8](repeating: UInt8(number), count: length)
        switch reassembly.add(fragment, first: PayloadType(rawValue: UInt8(number)), part) {
        case .incomplete: partial = reassembly
        case .tooLong: partial = nil
        case .complete:
            check(reassembly.joined(), total: total)
            partial = nil
        }
    }
}

private func check(_ joined: (first: PayloadType, payloads: [UInt8]), total: Int) {
    precondition(joined.first.rawValue == 1, "the first fragment names the first payload")
    precondition(joined.payloads.count <= Reassembly.mostOctets, "no more is joined than is taken")
    var last: UInt8 = 0
    for octet in joined.payloads {
        precondition(octet >= last && octet <= total, "fragments are joined in order")
        last = octet
    }
}
