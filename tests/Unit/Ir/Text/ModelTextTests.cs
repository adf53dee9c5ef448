using Optc.Frontend;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Ir.Text;

/// <summary>The text form of third-party models.</summary>
public sealed class ModelTextTests
{
    [SharedFact]
    public void Every_model_survives_its_text()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(SharedFolder.Path, "models"), "*.tflite", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            Module module = FrontendSet.Read(File.ReadAllBytes(file), Path.GetFileName(file));
            string text = GraphPrinter.Print(module);
            Module back = OpText.ParseModule(text);
            Assert.True(text == GraphPrinter.Print(back), Path.GetFileName(file));
            Assert.Empty(Verifier.Check(back));
        }
    }
}
