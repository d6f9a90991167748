import Foundation
import Primitives
import Results
import Workload

/// `ikestorm calibrate`: from a real gateway to its cost table, or from a cost table to a comparison.
package struct CalibrateJob {
    package var prepared: PreparedWorkload
    package var target: LiveTarget
    package var options: LiveOptions
    /// What the user says the gateway is: its name and version.
    package var gateway: String
    /// When it was measured, as the user says it.
    package var date: String

    package init(
        _ prepared: PreparedWorkload,
        target: LiveTarget,
        options: LiveOptions,
        gateway: String,
        date: String
    ) {
        self.prepared = prepared
        self.target = target
        self.options = options
        self.gateway = gateway
        self.date = date
    }

    /// How the gateway is measured.
    package struct Measuring {
        package var processNumber: Int32
        package var rates: [Int]
        package var keyExchanges: [String]
        package var replications: Int
        package var refusedProposal: String?
        package var exchanges = CalibrationTrial.Exchange.measured

        package init(
            processNumber: Int32,
            rates: [Int],
            keyExchanges: [String],
            replications: Int,
            refusedProposal: String?
        ) {
            self.processNumber = processNumber
            self.rates = rates.sorted()
            self.keyExchanges = keyExchanges
            self.replications = replications
            self.refusedProposal = refusedProposal
        }
    }

    /// Measures the gateway and writes the table.
    ///
    /// - Parameter command: what repeats it, for the table's provenance.
    package func calibrate(
        _ measuring: Measuring,
        name: String,
        command: [String],
        to file: String,
        on console: Console
    ) throws(JobFailure) {
        do throws(CalibrationFailure) {
            let base = try baseTable()
            var calibrator = Calibrator(
                prepared.workload,
                target: target,
                options: options,
                process: try GatewayProcess(measuring.processNumber),
                report: { console.errors($0 + "\n") }
            )
            calibrator.rates = measuring.rates
            calibrator.keyExchanges = measuring.keyExchanges
            calibrator.replications = measuring.replications
            calibrator.refusedProposal = measuring.refusedProposal
            calibrator.exchanges = measuring.exchanges
            let samples = try calibrator.samples().map { $0.without(calibrator.unseparated, at: base) }
            let fit = try fit(samples)
            let most = (measuring.rates.last ?? 1) * Int(CalibrationTrial.arrivalSeconds)
            let costs = MeasuredCosts(
                fit,
                base: base,
                name: name,
                origin: origin(measuring, samples, command),
                activeSAs: 0...most,
                setUpsPerSecond: (measuring.rates.first ?? 1)...(measuring.rates.last ?? 1)
            )
            try write(costs.table, to: file)
            console.output(CalibrationReport.text(of: fit, costs, file: file))
        } catch {
            throw JobFailure(error.code, "error: \(error)")
        }
    }

    private func fit(_ samples: [WorkSample]) throws(CalibrationFailure) -> CostFit {
        do throws(CostFit.Failure) { return try CostFit(samples) } catch {
            throw CalibrationFailure(.inconclusive, "\(error)")
        }
    }

    /// The workload's own table: where the prices come from that are not measured.
    private func baseTable() throws(CalibrationFailure) -> CostTableFile {
        let gateway = prepared.workload.gateways[prepared.workload.populations[0].gateway]
        guard let simulated = gateway.simulated else {
            throw CalibrationFailure(
                .badWorkload,
                "\(prepared.path): the gateway `\(gateway.name)` has no `simulated` model, whose cost table says what "
                    + "is not measured"
            )
        }
        return simulated.costs
    }

    private func write(_ table: CostTableFile, to file: String) throws(CalibrationFailure) {
        do throws(ResultError) { try AtomicFile.write(Array(table.json().utf8), to: file) } catch {
            throw CalibrationFailure(.cannotWrite, "\(error)")
        }
    }

    private func origin(_ measuring: Measuring, _ samples: [WorkSample], _ command: [String]) -> String {
        let machine = Results.Host.Machine.current()
        let rates = measuring.rates.map(String.init).joined(separator: ", ")
        let set = samples.reduce(0.0) { sum, sample in
            sum + sample.counts.reduce(0) { $0 + ($1.work == .operation(.ikeAuthPSK) ? $1.times : 0) }
        }
        return
            "\(gateway), measured by ikestorm \(IkestormVersion.text) on \(date), gateway and clients on one machine "
            + "(\(machine.processor), \(machine.cores) cores, \(machine.system)). CPU time of the gateway's threads "
            + "during stretches that hold one kind of exchange, \(samples.count) of them, with \(Int(set)) set-ups at "
            + "\(rates) clients a second, \(measuring.replications) times; weighted least squares, 95 % intervals. "
            + "create-child-sa holds what deleting a rekeyed Child SA takes beyond `delete`. "
            + "Command: \(PrintableText.shell(command))."
    }
}

extension CalibrateJob {
    /// Runs the same load in virtual time and against the gateway, and prints both.
    package func predict(cores: Int, replications: Int, on console: Console) throws(JobFailure) {
        do throws(CalibrationFailure) {
            let table = try baseTable()
            var prediction = Prediction(
                prepared.workload,
                table: table,
                cores: cores,
                target: target,
                options: options
            )
            prediction.replications = replications
            console.output(PredictionReport.text(of: try prediction.compare(), prediction, gateway: gateway, date))
        } catch {
            throw JobFailure(error.code, "error: \(error)")
        }
    }
}
