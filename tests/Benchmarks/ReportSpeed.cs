using System.Diagnostics;
using System.Globalization;
using Optc.Report;
using Optc.Report.Compression;

namespace Optc.Tests.Benchmarks;

/// <summary>How long a compression report takes: measuring all models, and printing the page, Markdown and JSON.</summary>
internal static class ReportSpeed
{
    private const int Rounds = 7;

    /// <param name="architecture">Name of the model.</param>
    /// <param name="folder">Where the files of the last report go; nowhere when <see langword="null"/>.</param>
    public static void Print(string architecture, string? folder)
    {
        CompressionRun run = ReportCase.Build(architecture);
        Console.WriteLine("| model | weights | models | threads | measure, s | processor, s | print, s | first time, s | page, bytes |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        CompressionReport report = Measure(architecture, run, threads: 1);
        Measure(architecture, run, Environment.ProcessorCount);
        if (folder is not null)
        {
            report.Save(folder, overwrite: true);
        }
    }

    private static CompressionReport Measure(string architecture, CompressionRun run, int threads)
    {
        (double Build, double Processor, double Print)[] seconds = new (double, double, double)[Rounds];
        CompressionReport? report = null;
        string html = "";
        double cold = 0;
        for (int round = -1; round < Rounds; round++)
        {
            TimeSpan busy = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            report = CompressionReport.Build(run, WorkOptions.Default with { Threads = threads });
            double build = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double processor = (Environment.CpuUsage.TotalTime - busy).TotalSeconds;
            start = Stopwatch.GetTimestamp();
            html = CompressionHtml.Of(report);
            _ = CompressionMarkdown.Of(report);
            _ = ReportJson.Of(report);
            double print = Stopwatch.GetElapsedTime(start).TotalSeconds;
            cold = round < 0 ? build + print : cold;
            if (round >= 0)
            {
                seconds[round] = (build, processor, print);
            }
        }

        double[] builds = [.. seconds.Select(s => s.Build).Order()];
        double[] processors = [.. seconds.Select(s => s.Processor).Order()];
        double[] prints = [.. seconds.Select(s => s.Print).Order()];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {architecture} | {report!.Stages[0].Float!.Weights} | {run.Stages.Length * 2} | {threads} | {Range(builds)} | {Range(processors)} | {Range(prints)} | {cold:0.000} | {html.Length} |"));
        return report;
    }

    private static string Range(double[] sorted) => string.Create(
        CultureInfo.InvariantCulture, $"{sorted[Rounds / 2]:0.000} ({sorted[0]:0.000} to {sorted[^1]:0.000})");
}
