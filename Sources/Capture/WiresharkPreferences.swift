/// What Wireshark is not set to by itself: to decrypt ESP, and to check integrity values and checksums. The file
/// `preferences` of its profile.
package enum WiresharkPreferences {
    package static let fileName = "preferences"

    package static let text = """
        esp.enable_encryption_decode: TRUE
        esp.enable_authentication_check: TRUE
        ip.check_checksum: TRUE
        udp.check_checksum: TRUE

        """
}
