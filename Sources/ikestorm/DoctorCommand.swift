import ArgumentParser
import CMemory
import Runner

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what this machine can do, and what stands in the way of more.",
        discussion: "Sends nothing. The exit code is 0 whatever it finds: a simulated run needs none of it."
    )

    func run() {
        Console.standard().output(Doctor.text(of: Doctor.findings(allocatorVersion: Int(cmemory_allocator_version()))))
    }
}
