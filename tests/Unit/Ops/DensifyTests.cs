using Optc.Ir;
using Optc.Ops;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class DensifyTests
{
    [Fact]
    public void Spreads_the_stored_elements_and_leaves_zeros()
    {
        // Rows dense, columns compressed.
        SparseLayout layout = new([0, 1], [], [new(3, [], []), new(0, [0, 1, 1, 3], [2, 0, 3])]);
        Value sparse = GraphBuilder.Constant(new(DType.F32, [3, 4], MovedElements.Bytes(5f, 6, 7), layout), "w");

        Assert.Equal([0, 0, 5, 0, 0, 0, 0, 0, 6, 0, 0, 7], Run<float>(new Densify(), sparse));
        Assert.Equal([0, 0, -5, 0, 0, 0, 0, 0, -6, 0, 0, -7], Run<float>(new Neg(), sparse, new Densify()));
    }

    [Fact]
    public void Keeps_the_quantization()
    {
        SparseLayout layout = new([0], [], [new(0, [0, 2], [1, 3])]);
        Value sparse = GraphBuilder.Constant(new(DType.I8, [4], MovedElements.Bytes<sbyte>(-5, 6), layout), "w", new(0.5f, 0));

        Assert.Equal([0, -2.5f, 0, 3], Run<float>(new Dequantize(), sparse, new Densify()));
    }

    [Fact]
    public void A_computed_operand_is_copied() => Assert.Equal(
        [1f, 2], new OpCase(new Densify()).Input<float>(DType.F32, [2], 1, 2).Run<float>());

    private static T[] Run<T>(IOp last, Value x, IOp? first = null)
        where T : unmanaged
    {
        GraphBuilder builder = new("main");
        Value input = builder.Input("x", new(DType.F32, [1]));
        Value dense = first is null ? x : builder.Add(first, [x], "first", [x.Type.Quant]).Output;
        builder.Output(builder.Add(last, [dense], "last").Output);
        builder.Output(input);
        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]));
        interpreter.Run();
        return interpreter.Output<T>(0).ToArray();
    }
}
