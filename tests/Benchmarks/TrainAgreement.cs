using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Optc.Ir;
using Optc.Runtime.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>How far training is from PyTorch in float64, and how far PyTorch in float32 is: gradients of a step, losses of six.</summary>
internal static class TrainAgreement
{
    private const int Steps = 6;
    private const string Slot = "/momentum";

    private static readonly string[] Others = ["channels_last", "nchw"];

    private static readonly (string Optimizer, double Rate)[] Runs = [("adam", 1e-3), ("adam", 1e-5), ("sgd", 0.05), ("sgd", 1e-4)];

    /// <param name="python">A Python with PyTorch.</param>
    /// <param name="filter">A part of the name of a model.</param>
    public static void Print(string python, string filter)
    {
        List<string> losses = [];
        Console.WriteLine("| model | variables | optc, median | largest | channels_last, median | largest | NCHW, median | largest |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (TrainingCase example in TrainingCase.All.Where(c => c.Name.Contains(filter, StringComparison.Ordinal)))
        {
            string folder = Directory.CreateTempSubdirectory("optc-agreement").FullName;
            try
            {
                PyTorchExport.Write(folder, example.Model, example.X, example.Labels, Runs[0].Rate);
                WriteGradients(folder, example);
                using JsonDocument result = Run(python, folder);
                PrintGradients(example.Name, result.RootElement.GetProperty("gradients"));
                losses.AddRange(Runs.Select(r => Row(example, r.Optimizer, r.Rate, result.RootElement.GetProperty("losses"))));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Console.WriteLine();
        Console.WriteLine("| model | optimizer | losses, float64 | optc | channels_last | NCHW |");
        Console.WriteLine("|---|---|---|---:|---:|---:|");
        losses.ForEach(Console.WriteLine);
    }

    // The velocity after the first step is the gradient.
    private static void WriteGradients(string folder, TrainingCase example)
    {
        using Trainer trainer = new(example.Model, example.Labels.Length, new() { Optimizer = Optimizer.Sgd(momentum: 0.5f) });
        trainer.Step(example.Labels.Length, example.Inputs, default, rate: 1);
        foreach ((string name, TensorData content) in trainer.SaveState().Where(s => s.Name.EndsWith(Slot, StringComparison.Ordinal)))
        {
            PyTorchExport.WriteTensor(folder, $"gradient.{name[..^Slot.Length]}", content);
        }
    }

    private static JsonDocument Run(string python, string folder)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "PyTorch", "train_agreement.py");
        string[] arguments = [script, folder, Steps.ToString(CultureInfo.InvariantCulture), .. Runs.Select(r => Text(r.Optimizer, r.Rate))];
        using Process process = Process.Start(new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true })!;
        return JsonDocument.Parse(process.StandardOutput.ReadToEnd());
    }

    private static string Text(string optimizer, double rate) => string.Create(CultureInfo.InvariantCulture, $"{optimizer}:{rate}");

    private static void PrintGradients(string model, JsonElement rows)
    {
        IEnumerable<string> columns = ((string[])["optc", .. Others]).Select(kind =>
        {
            double[] distances = [.. rows.EnumerateArray().Select(r => r.GetProperty(kind).GetDouble()).Order()];
            return string.Create(CultureInfo.InvariantCulture, $" {distances[distances.Length / 2]:0.0e+0} | {distances[^1]:0.0e+0} |");
        });
        Console.WriteLine($"| {model} | {rows.GetArrayLength()} |{string.Concat(columns)}");
    }

    private static string Row(TrainingCase example, string optimizer, double rate, JsonElement losses)
    {
        using Trainer trainer = new(example.Model, example.Labels.Length, new() { Optimizer = Optimizer.Parse(optimizer) });
        double[] ours = [.. Enumerable.Range(0, Steps).Select(_ => (double)trainer.Step(example.Labels.Length, example.Inputs, default, rate))];
        double[] exact = Of("float64");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {example.Name} | {Text(optimizer, rate)} | {string.Join(" ", exact.Select(l => l.ToString("0.0000", CultureInfo.InvariantCulture)))} | {Distance(ours):0.0e+0} | {Distance(Of(Others[0])):0.0e+0} | {Distance(Of(Others[1])):0.0e+0} |");

        double[] Of(string kind) => [.. losses.GetProperty(Text(optimizer, rate)).GetProperty(kind).EnumerateArray().Select(e => e.GetDouble())];
        double Distance(double[] other) => other.Zip(exact, (a, b) => Math.Abs(a - b) / b).Max();
    }
}
