using System.Globalization;
using System.Xml.Linq;
using Optc.Report.Charts;
using Optc.Training;
using Xunit;

namespace Optc.Tests.Unit.Library.Report;

public class LineChartTests
{
    [Fact]
    public void A_chart_is_a_well_formed_picture_with_every_line()
    {
        string svg = new LineChart("a < b", "epoch", [("loss", [new("one", [(1, 0.5), (2, 0.25)]), new("two & three", [(1, 1), (2, 2)])])]).ToSvg();

        XNamespace name = "http://www.w3.org/2000/svg";
        XElement root = XDocument.Parse(svg).Root!;
        Assert.Equal(2, root.Elements(name + "path").Count(p => (string)p.Attribute("class")! == "line"));
        Assert.Contains(root.Elements(name + "text"), t => t.Value == "a < b");
        Assert.Contains(root.Elements(name + "text"), t => t.Value == "two & three");
    }

    [Fact]
    public void Points_stay_inside_of_the_axes()
    {
        Random random = new(3);
        for (int round = 0; round < 50; round++)
        {
            double scale = Math.Pow(10, random.Next(-8, 9));
            (double, double)[] points = [.. Enumerable.Range(1, random.Next(1, 30)).Select(i => ((double)i, (random.NextDouble() - 0.5) * scale))];
            XElement root = XDocument.Parse(new LineChart("t", "x", [("y", [new("l", [.. points])])]).ToSvg()).Root!;

            foreach (XElement circle in root.Elements().Where(e => e.Name.LocalName == "circle"))
            {
                Assert.InRange((double)circle.Attribute("cx")!, 76, 696);
                Assert.InRange((double)circle.Attribute("cy")!, 72, 292);
            }
        }
    }

    [Fact]
    public void What_is_no_number_breaks_the_line()
    {
        string svg = new LineChart("t", "x", [("y", [new("l", [(1, 1), (2, double.NaN), (3, 2), (4, 3)])])]).ToSvg();

        string path = (string)XDocument.Parse(svg).Root!.Elements().Single(e => e.Name.LocalName == "path" && (string)e.Attribute("class")! == "line").Attribute("d")!;
        Assert.Equal(2, path.Count(c => c == 'M'));
        Assert.Equal(3, svg.Split("<circle").Length - 1);
    }

    [Fact]
    public void The_best_epoch_has_a_ring()
    {
        EpochRecord[] history = [new(1, 0.1, 2.5, 0.5, true), new(2, 0.01, 1.25, 0.75, true), new(3, 0.01, 1.5, 0.7, false)];

        XElement[] elements = [.. XDocument.Parse(LearningCurve.ToSvg(history, "accuracy", "t")).Root!.Elements()];

        XElement ring = Assert.Single(elements, e => e.Name.LocalName == "circle" && (string?)e.Attribute("class") == "line");
        Assert.Equal((double)ring.Attribute("cx")!, elements.Where(e => e.Name.LocalName == "circle").Select(e => (double)e.Attribute("cx")!).Distinct().Order().ElementAt(1));
        Assert.Contains(elements, e => e.Value == "validation accuracy, best 0.75 in epoch 2");
    }

    [Fact]
    public void A_long_line_has_no_dots_and_the_culture_changes_nothing()
    {
        LineChart chart = new("t", "x", [("y", [new("l", [.. Enumerable.Range(1, 500).Select(i => ((double)i, 1.5 / i))])])]);
        string svg = chart.ToSvg();
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NegativeSign) = (",", "~");
        CultureInfo.CurrentCulture = other;
        try
        {
            Assert.Equal(svg, chart.ToSvg());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.DoesNotContain("<circle", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_is_a_table()
    {
        EpochRecord[] history = [new(1, 0.1, 2.5, 0.5, true), new(2, 0.01, 1.25, null, false)];

        Assert.Equal("epoch,rate,loss,accuracy,best\n1,0.1,2.5,0.5,1\n2,0.01,1.25,,0\n", LearningCurve.ToCsv(history, "accuracy"));
        Assert.Contains("\"accuracy\": null", LearningCurve.ToJson(history, "accuracy"), StringComparison.Ordinal);
    }
}
