import BasicContainers
import IKEv2
import Load
import Primitives
import Simulation
import UDPTransport

// Moves: in real time a client that moves has another source address.
extension LiveWorker {
    /// Moves the clients whose moment has come, a bounded number at a time.
    mutating func moveClients() {
        guard phase == .load else { return }
        let moves = plan.moves[number]
        var room = Self.movesAtOnce
        while nextMove < moves.count, moves[nextMove].at <= turn.now, room > 0 {
            move(moves[nextMove])
            nextMove += 1
            room -= 1
        }
    }

    private mutating func move(_ move: LivePlan.Move) {
        let local = Int(move.local)
        finishWaiting(local)
        noteTimer(lateFrom: move.at, local)
        var values = clients[local].values
        owners[LiveWorker.Owner(group: values.group, source: values.source)] = nil
        values.source = move.source
        values.group = move.group
        // Packets and ports there are drawn anew, as in virtual time.
        let name = StableName.hash(of: clients[local].client.place.entity, UInt64(move.fault + 1))
        let target = plan.target(of: values)
        guard let (route, nat) = try? way(of: values, on: move.path, to: target, name) else {
            // The system has no socket left: the client stays where it is.
            let old = clients[local].values
            owners[LiveWorker.Owner(group: old.group, source: old.source)] = Int32(local)
            touched.missingSockets += 1
            return
        }
        owners[LiveWorker.Owner(group: values.group, source: values.source)] = Int32(local)
        touched.moved(local, to: values.source)
        clients[local].values = values
        clients[local].target = target
        clients[local].path = move.path
        clients[local].nat = nat
        clients[local].mappings = []
        clients[local].up = Flow(client: name, direction: .toGateway, over: links[move.path])
        clients[local].down = Flow(client: name, direction: .toClient, over: links[move.path])
        disturb(local, .move)
        let clientPlan = clients[local].plan
        record(local) { $0.move($1, to: route, at: $2) }
        clients[local].client.move(to: route, plan: clientPlan, &turn, &tally)
        noteMove(local)
        settle(local, due: move.at)
    }

    private static var movesAtOnce: Int { 32 }
}
