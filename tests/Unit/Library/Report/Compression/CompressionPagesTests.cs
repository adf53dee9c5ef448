using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Ops;
using Optc.Report;
using Optc.Report.Compression;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Library.Report.Compression;

/// <summary>The page, Markdown and JSON of compression reports.</summary>
public sealed class CompressionPagesTests
{
    private const string Golden = "golden/reports/compression";
    private const string Hostile = "a</title><script>alert('1')</script>|`x` & \"q\" _y_ [z](http://e) \u0001\uD800";

    private static readonly XNamespace Html = "http://www.w3.org/1999/xhtml";
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_files_are_those_of_version_control()
    {
        CompressionReport report = WithoutGzip(CompressionReport.Build(SampleRun.Whole()));

        GoldenFile.At($"{Golden}.md").ShouldMatch(CompressionMarkdown.Of(report));
        GoldenFile.At($"{Golden}.json").ShouldMatch(ReportJson.Of(report) + "\n");
        GoldenFile.At($"{Golden}.html").ShouldMatch(CompressionHtml.Of(report));
    }

    [Fact]
    public void The_page_needs_nothing_but_itself()
    {
        XElement page = Page(CompressionReport.Build(SampleRun.Whole()));

        Assert.Empty(page.Descendants(Html + "script"));
        Assert.Empty(page.Descendants(Html + "link"));
        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName is "href" or "src" or "style" || a.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain("url(", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("@import", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_picture_is_described_in_words()
    {
        XElement page = Page(CompressionReport.Build(SampleRun.Whole()));

        XElement[] pictures = [.. page.Descendants(Svg + "svg")];

        // Bytes, three densities, three histograms of codes, two learning curves, the front.
        Assert.Equal(10, pictures.Length);
        Assert.All(pictures, p =>
        {
            Assert.Equal("img", (string?)p.Attribute("role"));
            Assert.NotEmpty(p.Elements().First().Value);
            Assert.Equal([Svg + "title", Svg + "desc"], p.Elements().Take(2).Select(e => e.Name));
            Assert.NotEmpty(p.Element(Svg + "desc")!.Value);
        });
        Assert.All(page.Descendants(Html + "table").SelectMany(t => t.Descendants(Html + "th")), h => Assert.NotNull(h.Attribute("scope")));
    }

    [Fact]
    public void All_forms_have_the_same_numbers()
    {
        CompressionReport report = CompressionReport.Build(SampleRun.Whole());
        string html = Page(report).Value;
        string markdown = CompressionMarkdown.Of(report);
        using JsonDocument json = JsonDocument.Parse(ReportJson.Of(report));

        for (int i = 0; i < report.Stages.Length; i++)
        {
            JsonElement form = json.RootElement.GetProperty("stages")[i].GetProperty("int8");
            foreach (long number in new[] { form.GetProperty("fileBytes").GetInt64(), form.GetProperty("gzipBytes").GetInt64(), form.GetProperty("coded")[0].GetProperty("bytes").GetInt64() })
            {
                Assert.Contains(ReportNumbers.Integer(number), html, StringComparison.Ordinal);
                Assert.Contains($"| {ReportNumbers.Integer(number)} |", markdown, StringComparison.Ordinal);
            }
        }

        Assert.Equal("NaN", json.RootElement.GetProperty("stages")[1].GetProperty("int8Score").GetString());
        Assert.Equal(report.Verdict, json.RootElement.GetProperty("verdict").GetString());
        Assert.Contains(report.Verdict, html, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_of_models_are_only_text()
    {
        FloatModel builder = new();
        Model model = Model.Of(builder.Output(builder.Dense(Hostile, builder.Input("x", 1, 3), 1, 3, 2)).Build());
        CompressionRun run = new(Hostile, Metric.Accuracy, [new(Hostile) { Float = model, Mode = Hostile, ModeReason = Hostile, Curve = [new(1, 1, 1, 1, true)] }])
        {
            Skipped = [new(Hostile, Hostile, Hostile)],
            Agreement = [new(Hostile, 1, 1)],
            Invariants = [new(Hostile, Hostile, Hostile, Hostile, Holds: false)],
            Pareto = [new(Hostile, 1, 1, Chosen: true)],
            Reproduction = new(Hostile, [new(Hostile, Hostile, Hostile)], 1, $"{Hostile}\n```\n# x", Hostile),
        };
        CompressionReport report = CompressionReport.Build(run);

        XElement page = Page(report);
        string markdown = CompressionMarkdown.Of(report);

        Assert.Empty(page.Descendants(Html + "script"));
        Assert.Contains("<script>alert('1')</script>|`x` & \"q\" _y_", page.Descendants(Html + "h1").Single().Value, StringComparison.Ordinal);
        string outside = markdown[..markdown.IndexOf("````", StringComparison.Ordinal)];
        Assert.DoesNotContain("<script", outside, StringComparison.Ordinal);
        Assert.Equal(outside.Split("](http").Length, outside.Split(@"\](http").Length);
        Assert.All(Tables(markdown), t => Assert.Single(t.Select(Columns).Distinct()));
        Assert.EndsWith("\n````\n", markdown, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(ReportJson.Of(report));
        Assert.StartsWith("a</title><script>", json.RootElement.GetProperty("title").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_of_nothing_much_is_a_report_all_the_same()
    {
        FloatModel builder = new();
        Model model = Model.Of(builder.Output(builder.Add("y", new Relu(), builder.Input("x", 1, 3))).Build());
        CompressionReport report = CompressionReport.Build(new("relu", Metric.MeanSquaredError, [new("only") { Float = model, FloatScore = double.NaN }]));

        Assert.Equal("No layer has weights: 0 bytes of float weights, mse NaN (float).", report.Verdict);
        Assert.Null(report.Kernel);
        Assert.Null(report.AllInvariantsHold);
        XElement page = Page(report);
        Assert.DoesNotContain("Layers", page.Descendants(Html + "h2").Select(h => h.Value));
        Assert.DoesNotContain("\n\n\n", CompressionMarkdown.Of(report), StringComparison.Ordinal);
    }

    [Fact]
    public void Hundreds_of_layers_with_long_names_are_folded_away()
    {
        const int layers = 300;
        FloatModel builder = new();
        Value x = builder.Input("x", 1, 3);
        for (int i = 0; i < layers; i++)
        {
            x = builder.Dense($"{new string('n', 200)}/{i}", x, i, 3, 3);
        }

        Model model = Model.Of(builder.Output(x).Build());
        CompressionReport report = CompressionReport.Build(new("deep", Metric.Accuracy, [.. SampleRun.One(model), .. SampleRun.One(model, "Same")]));

        XElement page = Page(report);
        XElement[] rows = [.. page.Descendants(Html + "tbody").Elements(Html + "tr")];
        Assert.True(rows.Length > 3 * layers);
        Assert.True(rows.Count(r => !r.Ancestors(Html + "details").Any()) < 60);
        Assert.All(page.Descendants(Html + "th"), h => Assert.All(
            h.Nodes().OfType<XText>(), piece => Assert.True(piece.Value.Split(' ').Max(word => word.Length) <= 30)));
        Assert.Equal(2, CompressionMarkdown.Of(report).Split("<details>").Length - 1);
    }

    [Fact]
    public void Files_are_written_together_and_never_over_others()
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "report");
        CompressionReport report = CompressionReport.Build(new("m", Metric.Accuracy, SampleRun.One(SampleRun.Float())));
        try
        {
            report.Save(folder);

            Assert.Equal(CompressionFiles.Names.Order(), Directory.GetFiles(folder).Select(f => Path.GetFileName(f)!).Order());
            Assert.Equal(CompressionHtml.Of(report), File.ReadAllText(Path.Combine(folder, "report.html")));
            Assert.Equal(CompressionMarkdown.Of(report), File.ReadAllText(Path.Combine(folder, "report.md")));
            Assert.Equal(ReportJson.Of(report), File.ReadAllText(Path.Combine(folder, "report.json")));

            File.Delete(Path.Combine(folder, "report.html"));
            File.WriteAllText(Path.Combine(folder, "report.md"), "mine");
            Assert.Throws<DiagnosticException>(() => report.Save(folder));
            Assert.Equal("mine", File.ReadAllText(Path.Combine(folder, "report.md")));
            Assert.False(File.Exists(Path.Combine(folder, "report.html")));

            report.Save(folder, overwrite: true);
            Assert.Equal(CompressionMarkdown.Of(report), File.ReadAllText(Path.Combine(folder, "report.md")));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        }
    }

    /// <summary>Every version of the compressor inside .NET has sizes of its own: a quarter of the file stands for them.</summary>
    private static CompressionReport WithoutGzip(CompressionReport report)
    {
        CompressionReport result = report with
        {
            Stages = [.. report.Stages.Select(s => s with { Float = Fixed(s.Float!), Int8 = Fixed(s.Int8!) })],
            Layers = [.. report.Layers.Select(l => l with { Stages = [.. l.Stages.Select(s => s with { Coded = Sizes(s.Coded) })] })],
        };
        return result with { Verdict = CompressionVerdict.Of(result) };

        static FormEntry Fixed(FormEntry form) => form with { GzipBytes = form.FileBytes / 4, Coded = Sizes(form.Coded) };

        static ImmutableArray<WeightCost> Sizes(ImmutableArray<WeightCost> coded) =>
            [.. coded.Select(c => c.Coder == WeightCoders.Gzip.Name ? c with { Bits = 2 * c.Weights } : c)];
    }

    private static XElement Page(CompressionReport report)
    {
        string page = CompressionHtml.Of(report);
        Assert.Equal(page, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(page)));
        return XDocument.Parse(page, LoadOptions.PreserveWhitespace).Root!;
    }

    private static IEnumerable<ImmutableArray<string>> Tables(string markdown)
    {
        List<string> rows = [];
        foreach (string line in markdown.Split('\n').Append(""))
        {
            if (line.StartsWith('|'))
            {
                rows.Add(line);
            }
            else if (rows.Count > 0)
            {
                yield return [.. rows];
                rows = [];
            }
        }
    }

    private static int Columns(string row) => row.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|');
}
