import Results
import Testing

@Suite("A page of tables")
struct ReportPageTests {
    /// A page of which every name tries to be more than a name.
    private static let page = ReportPage(
        title: "matrix of <gw>",
        summary: ReportPage.Cell("2 tried | 1 works", .bad),
        sections: [
            ReportPage.Section(
                "Grid",
                lead: "ms",
                head: ["", "x25519", "ecp256"],
                rows: [
                    [ReportPage.Cell("aes"), ReportPage.Cell("1.0+2.0", .good), ReportPage.Cell("no [1]", .doubtful)],
                    [ReportPage.Cell("chacha20"), ReportPage.Cell("-"), ReportPage.Cell("BROKEN [2]", .bad)],
                ],
                isNumeric: true
            ),
            ReportPage.Section(
                "Rows",
                head: ["", "verdict"],
                rows: [[ReportPage.Cell("<script>\u{1B}[31m"), ReportPage.Cell("a|b & 'c'")]],
                notes: ["[1] it said \"no\""]
            ),
        ]
    )

    @Test("a terminal gets columns that end in line, and nothing that it would obey")
    func showsText() {
        #expect(
            Self.page.text(style: .plain)
                == """
                matrix of <gw>
                2 tried | 1 works

                Grid
                ms
                             x25519      ecp256
                  aes       1.0+2.0      no [1]
                  chacha20        -  BROKEN [2]

                Rows
                                      verdict
                  <script>\\u{1b}[31m  a|b & 'c'
                  [1] it said "no"

                """
        )
        let coloured = Self.page.text(style: TextStyle(hasColours: true))
        #expect(coloured.contains("\u{1B}[32m1.0+2.0\u{1B}[0m      \u{1B}[33mno [1]\u{1B}[0m"))
    }

    @Test("Markdown shows names as they are, in one row of a table each")
    func showsMarkdown() {
        let markdown = Self.page.markdown
        #expect(markdown.contains("| aes | 1.0+2.0 | no \\[1\\] |"))
        #expect(markdown.contains("| &lt;script&gt;\\\\u{1b}\\[31m | a\\|b &amp; 'c' |"))
        #expect(markdown.contains("| --- | ---: | ---: |"))
        #expect(markdown.contains("- \\[1\\] it said \"no\""))
    }

    @Test("HTML is one file in which nothing runs, and nothing is fetched")
    func showsHTML() {
        let html = Self.page.html
        #expect(!html.contains("<script"))
        #expect(
            html.contains(
                "<td class=\"plain\">&lt;script&gt;\\u{1b}[31m</td><td class=\"plain\">a|b &amp; &apos;c&apos;</td>"
            )
        )
        #expect(html.contains("<title>matrix of &lt;gw&gt;</title>"))
        #expect(html.contains("default-src 'none'"))
        #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("src="))
        #expect(html.contains("<td class=\"bad\">BROKEN [2]</td>"))
    }
}
