using System.Globalization;
using System.Text;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Architecture;

public sealed class OpsPageTests
{
    /// <summary><c>docs/ops.md</c> is printed from <see cref="OpSet"/>.</summary>
    [Fact]
    public void The_table_of_ops_is_current()
    {
        StringBuilder page = new(
            """
            # Operators

            Printed from `OpSet` by `./build.sh docs`, compared in CI. A kernel is there for exactly the types that are marked; *hybrid*
            is float activations with 8- or 4-bit weights. *quantizable*: post-training quantization makes it an integer operator.
            *shrinkable*: channels can be removed before, in and behind it. *TFLite* is the newest version of the builtin operator that is read and executed; newer ones, and operators that are not
            here, survive reading and writing as they are and are refused by name when they are to be executed.


            """);
        ReadOnlySpan<(string Title, KernelTypes Flag)> columns =
        [
            ("float", KernelTypes.F32), ("int8", KernelTypes.I8), ("int16", KernelTypes.I16), ("uint8", KernelTypes.U8),
            ("int32", KernelTypes.I32), ("int64", KernelTypes.I64), ("bool", KernelTypes.Bool), ("hybrid", KernelTypes.Hybrid),
        ];
        page.Append("| operator |");
        foreach ((string title, _) in columns)
        {
            page.Append(CultureInfo.InvariantCulture, $" {title} |");
        }

        page.Append(" quantizable | gradient | shrinkable | TFLite |\n|---|");
        page.Insert(page.Length, ":---:|", columns.Length).Append(":---:|:---:|:---:|---:|\n");
        int executable = 0;
        foreach (OpEntry op in OpSet.All.Where(o => o.Type != typeof(OpaqueTfLite)))
        {
            executable += op.Type.IsAssignableTo(typeof(IExecutable)) ? 1 : 0;
            page.Append(CultureInfo.InvariantCulture, $"| {op.Schema.Name.ToUpperInvariant()} |");
            foreach ((_, KernelTypes flag) in columns)
            {
                page.Append(op.Schema.Kernels.HasFlag(flag) ? " x |" : " |");
            }

            page.Append(op.Type.IsAssignableTo(typeof(IQuantizable)) ? " x |" : " |")
                .Append(op.Type.IsAssignableTo(typeof(IDifferentiable)) ? " x |" : " |")
                .Append(op.Type.IsAssignableTo(typeof(IShrinkable)) ? " x |" : " |")
                .Append(CultureInfo.InvariantCulture, $" {(op.TfLiteCode is null ? "-" : op.TfLiteMaximumVersion)} |\n");
        }

        page.Append(CultureInfo.InvariantCulture, $"\n{executable} operators are executed.\n");

        GoldenFile.At("docs/ops.md").ShouldMatch(page.ToString());
    }
}
