using System.Globalization;
using System.Xml.Linq;
using Optc.Report.Charts;
using Xunit;

namespace Optc.Tests.Unit.Library.Report;

/// <summary>Bars, distributions and scatter plots.</summary>
public sealed class ChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Parts_of_bars_are_as_wide_as_their_numbers()
    {
        StackedBarChart chart = new("where", "bytes", ["weights <w>", "rest"], [new("a", [300, 100]), new("b", [50, 0])]);

        XElement root = XDocument.Parse(chart.ToSvg()).Root!;

        // Behind the paper and the two swatches of the legend.
        XElement[] boxes = [.. root.Elements(Svg + "rect").Where(r => r.Element(Svg + "title") is not null)];
        double[] widths = [.. boxes.Select(b => (double)b.Attribute("width")!)];
        Assert.Equal(["weights <w>: 300 bytes", "rest: 100 bytes", "weights <w>: 50 bytes"], boxes.Select(b => b.Value));
        Assert.Equal(3, widths[0] / widths[1], 3);
        Assert.Equal(6, widths[0] / widths[2], 3);
        Assert.Equal((double)boxes[0].Attribute("x")! + widths[0], (double)boxes[1].Attribute("x")!, 1);
        Assert.Contains(root.Elements(Svg + "text"), t => t.Value == "400 bytes");
    }

    [Fact]
    public void A_long_legend_takes_more_lines()
    {
        StackedBarChart chart = new("where", "bytes", [.. Enumerable.Range(0, 6).Select(i => $"a rather long name {i}")], [new("a", [1, 1, 1, 1, 1, 1])]);

        XElement root = XDocument.Parse(chart.ToSvg()).Root!;

        double width = (double)root.Attribute("width")!;
        Assert.All(root.Elements(Svg + "text"), t => Assert.InRange((double)t.Attribute("x")! + (t.Value.StartsWith("a rather", StringComparison.Ordinal) ? 8 * t.Value.Length : 0), 0, width));
    }

    [Fact]
    public void A_towering_bin_is_cut_and_says_its_share()
    {
        XElement cut = XDocument.Parse(new DistributionChart("t", "n", -1, 1, [10, 980, 10]).ToSvg()).Root!;
        XElement even = XDocument.Parse(new DistributionChart("t", "n", -1, 1, [10, 15, 10]).ToSvg()).Root!;

        Assert.Contains(cut.Elements(Svg + "text"), t => t.Value == "98 %");
        Assert.DoesNotContain(even.Elements(Svg + "text"), t => t.Value.EndsWith('%'));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bins_stay_inside_of_the_picture(bool bars)
    {
        Random random = new(4);
        for (int round = 0; round < 40; round++)
        {
            long[] counts = [.. Enumerable.Range(0, random.Next(1, 300)).Select(_ => random.Next(3) == 0 ? 0L : random.NextInt64(1, 1L << random.Next(1, 40)))];
            double low = (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 6));
            DistributionChart chart = new("t", "n", low, low + (random.NextDouble() + 0.1) * Math.Pow(10, random.Next(-6, 6)), [.. counts]) { Bars = bars };

            XElement root = XDocument.Parse(chart.ToSvg()).Root!;

            string path = (string)root.Elements(Svg + "path").Single().Attribute("d")!;
            double[] heights = [.. path.Split('V').Skip(1).Select(p => double.Parse(p.Split('H', 'h', 'Z')[0], CultureInfo.InvariantCulture))];
            Assert.All(heights, h => Assert.InRange(h, 62, 162));
            Assert.All(root.Elements(Svg + "line").Attributes("x1"), x => Assert.InRange((double)x, 14, 326));
        }
    }

    [Fact]
    public void An_empty_distribution_is_a_picture()
    {
        Assert.NotNull(XDocument.Parse(new DistributionChart("t", "n", 0, 1, [0, 0]).ToSvg()).Root);
        Assert.NotNull(XDocument.Parse(new DistributionChart("t", "n", 0, 1, [5]).ToSvg()).Root);
    }

    [Fact]
    public void The_front_is_a_stair_through_its_points()
    {
        ScatterChart chart = new("t", "x", "y", [new("a", 1, 1, OnFront: true), new("b", 3, 2, OnFront: true, Marked: true), new("c", 2, 0.5), new("nan", 1, double.NaN, OnFront: true)]);

        XElement root = XDocument.Parse(chart.ToSvg()).Root!;

        XElement[] dots = [.. root.Elements(Svg + "circle").Where(c => c.Element(Svg + "title") is not null)];
        Assert.Equal(["c (2, 0.5)", "a (1, 1)", "b (3, 2)"], dots.Select(d => d.Value));
        string path = (string)root.Elements(Svg + "path").Single(p => (string?)p.Attribute("class") == "line").Attribute("d")!;
        Assert.Equal($"M{(string)dots[1].Attribute("cx")!} {(string)dots[1].Attribute("cy")!}H{(string)dots[2].Attribute("cx")!}V{(string)dots[2].Attribute("cy")!}", path);
        Assert.Single(root.Elements(Svg + "circle"), c => (string?)c.Attribute("class") == "line");
        Assert.Contains(root.Elements(Svg + "text"), t => t.Value == "b");
    }

    [Fact]
    public void Only_a_file_has_its_colors_along()
    {
        ScatterChart chart = new("t", "x", "y", [new("a", 1, 1)]);

        Assert.Contains("<style>", chart.ToSvg(), StringComparison.Ordinal);
        Assert.DoesNotContain("<style>", chart.ToSvg(ChartPlace.Page), StringComparison.Ordinal);
    }
}
