using System.Collections.Immutable;
using Optc.Frontend;
using Optc.Ir;
using Optc.Runtime;
using Optc.Tests.Conformance.LiteRt;
using Optc.Tests.Conformance.Models;
using Xunit;

namespace Optc.Tests.Conformance.Ops;

/// <summary>Something that claims to compute an op.</summary>
/// <param name="Name">As cases name it under <c>except</c>.</param>
/// <param name="Run">Gives the bytes of every result.</param>
internal sealed record CaseExecutor(string Name, Func<GoldenCase, ImmutableArray<byte[]>> Run)
{
    private static readonly Lazy<ImmutableDictionary<string, LiteRtResult>> FromLiteRt = new(RunLiteRt);

    public static CaseExecutor LiteRt { get; } = new("litert", c => FromLiteRt.Value[c.Path] is { Error: null } result
        ? result.Outputs[0]
        : throw new InvalidOperationException($"LiteRT refuses it: {FromLiteRt.Value[c.Path].Error}"));

    /// <summary>What needs nothing but optc; a new executor is one line here.</summary>
    public static ImmutableArray<CaseExecutor> All { get; } =
    [
        new("interpreter", c => Interpret(c, c.Build(), InterpreterOptions.Default)),
        new("threads", c => Interpret(c, c.Build(), new() { Threads = 4 })),
        new("tflite", c => Interpret(c, FrontendSet.Read(c.Write(), c.Path), InterpreterOptions.Default)),
    ];

    public bool Supports(GoldenCase @case) => !@case.Except.Contains(Name);

    /// <summary>Runs a case and compares, or demands the refusal that it states.</summary>
    public void Check(GoldenCase @case)
    {
        if (@case.Error is { } error)
        {
            string refusal = Refusal(@case);
            Assert.True(refusal == error, $"golden/ops/{@case.Path}, {Name}:\nerror:   {error}\nrefusal: {refusal}");
            return;
        }

        ImmutableArray<byte[]> actual = Run(@case);
        Assert.Equal(@case.Results.Length, actual.Length);
        foreach ((CaseTensor expected, byte[] bytes) in @case.Results.Zip(actual))
        {
            Comparison result = ModelRun.Compare(expected.Type.DType, expected.Content.Bytes.Span, bytes);
            Assert.True(
                (result.IsFloat ? result.MaxRelative : result.MaxDifference) <= @case.Tolerance,
                $"golden/ops/{@case.Path}, {Name}: {result}\n{Numbers(expected.Type, bytes)}");
        }
    }

    private static string Numbers(TensorType type, byte[] bytes) => bytes.Length == type.ByteCount
        ? Optc.Ir.Text.GraphPrinter.Print(GraphBuilder.Module([Single(new(type.DType, type.Shape, bytes))]))
        : $"{bytes.Length} bytes for {type}";

    private static Graph Single(TensorData data)
    {
        GraphBuilder builder = new("computed");
        builder.Output(GraphBuilder.Constant(data, "y"));
        return builder.Build();
    }

    private string Refusal(GoldenCase @case)
    {
        try
        {
            Run(@case);
            return "nothing";
        }
        catch (OpRuleException problem)
        {
            return Text(problem.Message, problem.Found, problem.Expected);
        }
        catch (DiagnosticException problem)
        {
            Diagnostic first = problem.Diagnostics[0];
            return Text(first.Message, first.Found, first.Expected);
        }
    }

    private static string Text(string message, string? found, string? expected) =>
        message + (found is null ? "" : $"; found {found}") + (expected is null ? "" : $"; expected {expected}");

    private static ImmutableArray<byte[]> Interpret(GoldenCase @case, Module module, InterpreterOptions options)
    {
        using Interpreter interpreter = new(module, options: options);
        ImmutableArray<byte[]> given = @case.GivenBytes;
        for (int i = 0; i < given.Length; i++)
        {
            given[i].CopyTo(interpreter.Input(i));
        }

        interpreter.Run();
        for (int o = 0; o < @case.Results.Length; o++)
        {
            Assert.Equal(@case.Results[o].Type.Shape, interpreter.OutputType(o).Shape);
        }

        return [.. Enumerable.Range(0, interpreter.OutputCount).Select(o => interpreter.Output(o).ToArray())];
    }

    private static ImmutableDictionary<string, LiteRtResult> RunLiteRt()
    {
        ImmutableArray<GoldenCase> cases = [.. GoldenCase.All.Where(c => c.Error is null && LiteRt.Supports(c))];
        ImmutableArray<LiteRtResult> results = LiteRtBatch.Run([.. cases.Select(c => new LiteRtJob(c.Write(), [c.GivenBytes]))]);
        return cases.Zip(results).ToImmutableDictionary(p => p.First.Path, p => p.Second);
    }
}
