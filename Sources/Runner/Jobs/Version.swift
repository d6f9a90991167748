/// The version of ikestorm: a result can be repeated by the version that made it.
package enum IkestormVersion {
    package static let text = "0.1.0"
}
