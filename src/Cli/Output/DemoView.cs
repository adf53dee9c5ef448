using System.Globalization;
using System.Text.Json;
using Optc.Backends.TfLiteMicro;
using Optc.Demo;
using Optc.Report.Compression;

namespace Optc.Cli.Output;

/// <summary>What the demo found, as a table and as JSON, and where to go from there.</summary>
internal sealed class DemoView(DemoRun run, ArenaEstimate arena, DemoFiles files)
{
    private const string Unknown = "";

    public void Print(Terminal terminal)
    {
        terminal.WriteJson(Write);
        (StageEntry baseline, StageEntry pruned, StageEntry last) = (run.Report.Stages[0], run.Report.Stages[1], run.Report.Stages[^1]);
        (FormEntry real, FormEntry plain, FormEntry zeros, FormEntry small) = (baseline.Float!, baseline.Int8!, pruned.Int8!, last.Int8!);
        terminal.WriteText(string.Create(CultureInfo.InvariantCulture, $"""
            A classifier of {DemoTask.ClassNames.Length} kinds of sound ({string.Join(", ", DemoTask.ClassNames)}):
            a DS-CNN of {real.Weights} weights, trained on {run.Task.Train.Count} synthesised sounds, tested on {run.Task.Test.Count} others.


            """));
        Grid table = new("", ">float", ">int8", ">pruned int8", $">{last.Name} int8", ">against int8");
        table.Add("accuracy on the test", Percent(baseline.FloatScore), Percent(baseline.Int8Score), Percent(pruned.Int8Score), Percent(last.Int8Score), Points(baseline.Int8Score, last.Int8Score));
        table.Add("bytes of the .tflite file", Number(real.FileBytes), Number(plain.FileBytes), Number(zeros.FileBytes), Number(small.FileBytes), Change(plain.FileBytes, small.FileBytes));
        table.Add("the file by gzip", Number(real.GzipBytes), Number(plain.GzipBytes), Number(zeros.GzipBytes), Number(small.GzipBytes), Change(plain.GzipBytes, small.GzipBytes));
        table.Add($"its weights by {run.Report.Coders[0].Name}", Unknown, Number(Coded(plain)), Number(Coded(zeros)), Number(Coded(small)), Change(Coded(plain), Coded(small)));
        table.Add("zeros", Percent(real.ZeroPercent / 100), Percent(plain.ZeroPercent / 100), Percent(zeros.ZeroPercent / 100), Percent(small.ZeroPercent / 100), Unknown);
        table.Add(
            "arena of TFLite Micro, estimated", Number(Arena(run.Float)), Number(Arena(run.Optimization.Run.Stages[0].Int8!)), Number(Arena(run.Optimization.Run.Stages[1].Int8!)), Number(arena.Total), Unknown);
        table.PrintTo(terminal);
        terminal.WriteText($"\n{Proofs()}\n{Agreement()}\n");
        terminal.WriteText("The int8 models give the same bits here and in TFLite Micro's reference kernels.\n\n");
        Grid written = new("file", ">bytes", "");
        foreach ((string path, long bytes, string what) in files.Written.Where(f => !f.What.EndsWith("report", StringComparison.Ordinal)))
        {
            written.Add(path, Number(bytes), what);
        }

        written.PrintTo(terminal);
        terminal.WriteText(
            $"""

            The report, with pictures: {files.Report}

            Next:
              optc inspect {files.Quantized}
              optc eval {files.Quantized} --data {files.Test} --confusion
              optc compare {files.Float} {files.Quantized} --data {files.Test} --per-layer
              optc optimize {files.Float} -o smaller.tflite --recipe {files.Recipe} --sparsity 0.7 --data {files.Train} --test {files.Test}

            """);
    }

    private string Proofs()
    {
        int zeros = run.Report.Invariants.Count(i => i.What == "zeros kept");
        int codes = run.Report.Invariants.Count(i => i.What.StartsWith("distinct codes", StringComparison.Ordinal));
        int unchanged = run.Report.Invariants.Count(i => i.What == "codes unchanged");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Proved on the bytes of the {run.Report.Stages[^1].Name} file: the zeros of {zeros} weight tensors, the few codes of {codes}, the integers of {unchanged} as training left them.");
    }

    private string Agreement() => string.Create(
        CultureInfo.InvariantCulture,
        $"{run.Report.Agreement.Count(a => a.Holds == true)} of its {run.Report.Agreement.Length} layers compute what training took them for, within the steps that rounding may cost.");

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("trainSamples", run.Task.Train.Count);
        writer.WriteNumber("testSamples", run.Task.Test.Count);
        writer.WriteNumber("weights", run.Report.Stages[0].Float!.Weights);
        writer.WriteNumber("dropPoints", run.Optimization.DropPoints!.Value);
        writer.WriteStartArray("stages");
        foreach ((StageEntry stage, StageResult models) in run.Report.Stages.Zip(run.Optimization.Run.Stages))
        {
            FormEntry form = stage.Int8!;
            writer.WriteStartObject();
            writer.WriteString("stage", stage.Name);
            writer.WriteString("mode", stage.Mode);
            writer.WriteNumber("floatScore", stage.FloatScore!.Value);
            writer.WriteNumber("int8Score", stage.Int8Score!.Value);
            writer.WriteNumber("floatFileBytes", stage.Float!.FileBytes!.Value);
            writer.WriteNumber("fileBytes", form.FileBytes!.Value);
            writer.WriteNumber("gzipBytes", form.GzipBytes!.Value);
            writer.WriteNumber("zeros", form.Zeros);
            writer.WriteNumber("codedBytes", Coded(form)!.Value);
            writer.WriteNumber("arenaBytes", Arena(models.Int8!));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteBoolean("invariantsHold", run.Report.AllInvariantsHold!.Value);
        writer.WriteNumber("invariants", run.Report.Invariants.Length);
        writer.WriteString("verdict", run.Report.Verdict);
        writer.WriteStartArray("files");
        foreach ((string path, long bytes, _) in files.Written)
        {
            writer.WriteStartObject();
            writer.WriteString("file", path);
            writer.WriteNumber("bytes", bytes);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("report", files.Report);
        writer.WriteEndObject();
    }

    private static long Arena(Model model) => ArenaEstimate.Of(model.Module).Total;

    private static long? Coded(FormEntry form) => form.Coded.FirstOrDefault()?.Bytes;

    private static string Number(long? number) => number is { } n ? n.ToString(CultureInfo.InvariantCulture) : Unknown;

    private static string Percent(double? part) => FormattableString.Invariant($"{100 * part:F1} %");

    private static string Points(double? before, double? after) => FormattableString.Invariant($"{100 * (after - before):+0.0;-0.0;0.0} points");

    private static string Change(long? before, long? after) => FormattableString.Invariant($"{(100.0 * after / before) - 100:+0;-0;0} %");
}
