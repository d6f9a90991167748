import IKECrypto

// A client and a server for EAP-TLS; the tests of EAP have the same ones.
enum Certificates {
    static func configuration(_ role: TLSRole) -> TLSConfiguration? {
        try? TLSConfiguration(
            role: role,
            chain: Array((role == .client ? client : server).utf8),
            key: Array((role == .client ? clientKey : serverKey).utf8),
            trustAnchors: Array(authority.utf8),
            peerName: role == .client ? "gw.example.org" : nil
        )
    }

    private static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBgTCCASegAwIBAgIUJhIGrHXw9RTDapjR8t1URCY31mkwCgYIKoZIzj0EAwIw
        DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI3MTU0NjQxWhgPMjEyNjExMDMxNTQ2NDFa
        MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8jGJiw8i
        hYD1mMery7ulPQe38TC7N51/g0wNreABWOBuKvukSGYkmIn6iaBw6U655O70zFdb
        HtARNNGVVkRaT6NjMGEwHQYDVR0OBBYEFAx4McdYcvt1+srl9FkFAn5uUHRXMB8G
        A1UdIwQYMBaAFAx4McdYcvt1+srl9FkFAn5uUHRXMA8GA1UdEwEB/wQFMAMBAf8w
        DgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49BAMCA0gAMEUCIHyyALJIBMjPpDkSCT5D
        shwLqdv6JfNqvKTH6m1sWLpzAiEA7Dl1PGZZqByR2E7+2zGon0EnGevtGwdQCzoC
        OjwuthI=
        -----END CERTIFICATE-----
        """

    private static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBnTCCAUSgAwIBAgIBBDAKBggqhkjOPQQDAjANMQswCQYDVQQDDAJjYTAeFw0y
        NjExMjcxNTQ2NDFaFw0zNjExMjQxNTQ2NDFaMBExDzANBgNVBAMMBmNsaWVudDBZ
        MBMGByqGSM49AgEGCCqGSM49AwEHA0IABAxOnlLSCqT0dKKveUtAEcvfHuMH9Hkj
        X9MXvjmokTREyA78BR+0DzU04ABc3GMh4fM7UJ9fqWOcXn8HN2VX7vGjgZAwgY0w
        GwYDVR0RBBQwEoEQdXNlckBleGFtcGxlLm9yZzATBgNVHSUEDDAKBggrBgEFBQcD
        AjAOBgNVHQ8BAf8EBAMCB4AwCQYDVR0TBAIwADAdBgNVHQ4EFgQUN6SgQbG4yVGt
        +JaMegyLMTHlfKUwHwYDVR0jBBgwFoAUDHgxx1hy+3X6yuX0WQUCfm5QdFcwCgYI
        KoZIzj0EAwIDRwAwRAIgFju5WmBpI4BJIFR1gdEtFLcWhcIBze2Jtu+CzKHuYwcC
        IAjbgGsTrofgdKVyJjQqch/Rsy5/HsSCGbNl92PqvUv8
        -----END CERTIFICATE-----
        """

    private static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRYxFTsHW2+f0YSwf
        pxsZXCFvVeXX5pOCbyJcRJ9VRf2hRANCAAQMTp5S0gqk9HSir3lLQBHL3x7jB/R5
        I1/TF745qJE0RMgO/AUftA81NOAAXNxjIeHzO1CfX6ljnF5/BzdlV+7x
        -----END PRIVATE KEY-----
        """

    private static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBnDCCAUKgAwIBAgIBAjAKBggqhkjOPQQDAjANMQswCQYDVQQDDAJjYTAeFw0y
        NjExMjcxNTQ2NDFaFw0zNjExMjQxNTQ2NDFaMBExDzANBgNVBAMMBnNlcnZlcjBZ
        MBMGByqGSM49AgEGCCqGSM49AwEHA0IABCgfydcBvTk+PjZg6GgqV9cH1z1rwEq1
        mp3Tru0qWoY4Q6t7zVPIwncdrRWDM5CciFSb0Wbi6i9/QBdosi2wr9SjgY4wgYsw
        GQYDVR0RBBIwEIIOZ3cuZXhhbXBsZS5vcmcwEwYDVR0lBAwwCgYIKwYBBQUHAwEw
        DgYDVR0PAQH/BAQDAgeAMAkGA1UdEwQCMAAwHQYDVR0OBBYEFIsKxsV9QUgY2Nst
        B3Bbs3gpOrrIMB8GA1UdIwQYMBaAFAx4McdYcvt1+srl9FkFAn5uUHRXMAoGCCqG
        SM49BAMCA0gAMEUCIQDXKiYWKaAkAGYFNId1uw/XvwQ8JI/irjgRLG0uYx3towIg
        U6f8nbXgftAqKyq7dxOtCq77InlvO693ztseejmhBA0=
        -----END CERTIFICATE-----
        """

    private static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg97ZIH+l1Oc94SEpQ
        ICziKQw6FtOc9/2pemEMT5vJvlChRANCAAQoH8nXAb05Pj42YOhoKlfXB9c9a8BK
        tZqd067tKlqGOEOre81TyMJ3Ha0VgzOQnIhUm9Fm4uovf0AXaLItsK/U
        -----END PRIVATE KEY-----
        """
}
