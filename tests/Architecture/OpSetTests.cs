using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;
using Xunit;

namespace Optc.Tests.Architecture;

public sealed class OpSetTests
{
    [Fact]
    public void Lists_every_op_exactly_once()
    {
        IEnumerable<string> defined = typeof(OpSet).Assembly.GetTypes()
            .Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(IOp)))
            .Select(type => type.Name);

        Assert.Equal(defined.Order(StringComparer.Ordinal), OpSet.All.Select(op => op.Type.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Lists_the_ops_in_alphabetical_order()
    {
        IEnumerable<string> names = OpSet.All.Select(op => op.Type.Name);

        Assert.Equal(names.Order(StringComparer.OrdinalIgnoreCase), names);
    }

    [Fact]
    public void Names_an_op_as_its_format_does()
    {
        foreach (OpEntry op in OpSet.All.Where(op => op.TfLiteCode is not null))
        {
            string code = op.TfLiteCode!.Value.ToString();

            // The graph has a type named Shape, and every op uses it.
            Assert.Equal(op.Type == typeof(ShapeOf) ? "ShapeOf" : code, op.Type.Name, ignoreCase: true);
            Assert.Equal(code, op.Schema.Name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        }
    }

    [Fact]
    public void Every_builtin_operator_belongs_to_one_op()
    {
        IEnumerable<IGrouping<BuiltinOperator?, OpEntry>> shared = OpSet.All
            .Where(op => op.TfLiteCode is not null)
            .GroupBy(op => op.TfLiteCode)
            .Where(group => group.Count() > 1);

        Assert.Empty(shared);
    }

    [Fact]
    public void What_can_be_written_can_be_read()
    {
        foreach (OpEntry op in OpSet.All.Where(op => op.Type != typeof(OpaqueTfLite)))
        {
            Assert.Equal(op.Type.IsAssignableTo(typeof(ITfLiteOp)), op.ReadTfLite is not null);
            Assert.True(op.ReadTfLite is null || op.TfLiteMaximumVersion >= 1, op.Schema.Name);
        }
    }
}
