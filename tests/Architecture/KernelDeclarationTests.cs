using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Execution;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Architecture;

/// <summary>What <see cref="OpSchema.Kernels"/> says is what can be executed, neither more nor less.</summary>
public sealed class KernelDeclarationTests
{
    private static readonly (KernelTypes Flag, DType Type)[] Types =
    [
        (KernelTypes.F32, DType.F32), (KernelTypes.I8, DType.I8), (KernelTypes.I16, DType.I16), (KernelTypes.U8, DType.U8),
        (KernelTypes.I32, DType.I32), (KernelTypes.I64, DType.I64), (KernelTypes.Bool, DType.Bool),
    ];

    public static TheoryData<string> Sampled() => [.. OpSet.All.Select(op => op.Schema.Name).Where(KernelSamples.ByOp.ContainsKey)];

    [Fact]
    public void Every_op_has_a_sample_or_a_reason_for_none()
    {
        IEnumerable<string> names = OpSet.All.Select(op => op.Schema.Name);

        Assert.Empty(names.Except(KernelSamples.ByOp.Keys).Except(KernelSamples.Unsampled.Keys));
    }

    [Theory]
    [MemberData(nameof(Sampled))]
    public void Kernels_exist_for_exactly_the_declared_types(string op)
    {
        OpEntry entry = OpSet.Find(op)!;
        List<string> wrong = [];
        foreach ((KernelTypes flag, DType type) in Types)
        {
            Compare(entry.Schema.Kernels.HasFlag(flag), KernelSamples.Fill(KernelSamples.ByOp[op], type), type.Name, wrong);
        }

        if (KernelSamples.HybridByOp.TryGetValue(op, out string? hybrid))
        {
            Compare(entry.Schema.Kernels.HasFlag(KernelTypes.Hybrid), hybrid, "hybrid", wrong);
        }
        else if (entry.Schema.Kernels.HasFlag(KernelTypes.Hybrid))
        {
            wrong.Add("hybrid is declared, but there is no sample of it");
        }

        Assert.True(wrong.Count == 0, $"{op}: {string.Join("\n", wrong)}");
    }

    [Fact]
    public void Ops_that_declare_kernels_can_be_executed()
    {
        foreach (OpEntry op in OpSet.All)
        {
            Assert.Equal(op.Schema.Kernels != KernelTypes.None, op.Type.IsAssignableTo(typeof(IExecutable)));
        }
    }

    private static void Compare(bool declared, string graph, string type, List<string> wrong)
    {
        string? refusal = Refusal(graph);
        if (declared && refusal is not null)
        {
            wrong.Add($"{type} is declared and refused: {refusal}");
        }
        else if (!declared && refusal is null)
        {
            wrong.Add($"{type} is not declared and taken");
        }
    }

    private static string? Refusal(string graph)
    {
        try
        {
            using Interpreter prepared = new(OpText.ParseModule(graph));
            return null;
        }
        catch (DiagnosticException refusal) when (refusal.Diagnostics.All(d => d.Id != DiagnosticId.TextSyntax))
        {
            return refusal.Message;
        }
    }
}
