package import IKEv2
import Primitives

extension Client {
    /// Is elsewhere from now on, and goes to the gateway by another route.
    ///
    /// Its IKE SA goes along where MOBIKE lets it (RFC 4555). Where it cannot, the client forgets it, since nothing
    /// that it could say from here would be heard as its own, and begins anew at once.
    package mutating func move(
        to route: Route,
        plan: ClientPlan,
        _ turn: inout Turn,
        _ tally: inout ClientTally
    ) {
        place.route = route
        guard hasEndpoint else { return }
        tally.mark(.moved, plan.population, at: turn.now)
        wake(plan: plan)
        if seat?.endpoint.canMove(to: route) == true {
            seat?.endpoint.move(to: route, under: plan.policy, &turn)
            absorb(plan: plan, &turn, &tally)
        } else {
            beginAnew(plan: plan, &turn, &tally)
        }
    }

    private mutating func beginAnew(plan: ClientPlan, _ turn: inout Turn, _ tally: inout ClientTally) {
        tally.mark(.begunAnew, plan.population, at: turn.now)
        seat?.endpoint.abandon(&turn)
        absorb(plan: plan, &turn, &tally)
        nextAttempt = .never
        guard isWanted else { return }
        failures = 0
        begin(intended: turn.now, plan: plan, &turn, &tally)
    }
}
