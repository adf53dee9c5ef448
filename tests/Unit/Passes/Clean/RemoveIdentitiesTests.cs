using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes;
using Optc.Passes.Clean;
using Xunit;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Tests.Unit.Passes.Clean;

/// <summary>Each way in which a node that does nothing is removed, and each in which it only seems to do nothing.</summary>
public sealed class RemoveIdentitiesTests
{
    private static readonly QuantParams Grid = new(0.05f, 3);

    [Fact]
    public void Removes_a_reshape_squeeze_or_expansion_that_keeps_the_shape()
    {
        Removes(new RemoveReshape(), new Reshape([2, 3]));
        Removes(new RemoveReshape(), new Reshape([-1, 3]));
        Removes(new RemoveReshape(), new Squeeze([]));
    }

    [Fact]
    public void Keeps_a_reshape_that_changes_the_shape() =>
        Assert.Equal("it changes [2, 3] to [3, 2]", Keeps(new RemoveReshape(), new Reshape([3, 2])));

    [Fact]
    public void Keeps_a_reshape_of_two_unknown_dimensions()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.F32, [-1, -1]));
        Value y = model.AddTyped("y", new Reshape([]), new(DType.F32, [-1, -1]), x);
        Module module = model.Output(model.Add("end", new Tanh(), y)).Build();

        Assert.Equal("a shape of [?, ?] may change", PassModel.Declines(new RemoveReshape(), module, "y"));
    }

    [Fact]
    public void Removes_a_reshape_with_an_unknown_batch()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.F32, [-1, 3]));
        Module module = model.Output(model.Add("end", new Tanh(), model.AddTyped("y", new Reshape([-1, 3]), x.Type, x))).Build();

        Assert.Equal("tanh", PassModel.Ops(PassModel.Fires(new RemoveReshape(), module, "y")));
    }

    [Fact]
    public void Keeps_a_copy_between_an_input_and_an_output_of_the_graph()
    {
        PassModel model = new();
        Value x = model.Input("x", 2, 3);
        Module module = model.Output(model.Add("y", new Reshape([2, 3]), x)).Build();

        Assert.Equal("'x' is not computed and cannot be the output 'y' of the graph", PassModel.Declines(new RemoveReshape(), module, "y"));
    }

    [Fact]
    public void Keeps_a_copy_between_two_outputs_of_the_graph()
    {
        PassModel model = new();
        Value a = model.Add("a", new Tanh(), model.Input("x", 2, 3));
        Module module = model.Output(a, model.Add("y", new Reshape([2, 3]), a)).Build();

        Assert.Equal("'a' and 'y' are both outputs of the graph", PassModel.Declines(new RemoveReshape(), module, "y"));
    }

    [Fact]
    public void Keeps_the_name_of_an_output_whose_copy_is_removed()
    {
        PassModel model = new();
        Value a = model.Add("a", new Tanh(), model.Input("x", 2, 3));
        Module module = model.Output(model.Add("y", new Reshape([2, 3]), a)).Build();

        Module result = PassModel.Fires(new RemoveReshape(), module, "y");

        Assert.Equal("y", Assert.Single(result.Main.Outputs).Name);
        Assert.Equal("tanh", PassModel.Ops(result));
    }

    [Fact]
    public void Keeps_the_copy_of_a_variable()
    {
        PassModel model = new();
        Value y = model.Add("y", new Reshape([2, 3]), PassModel.Variable("state", 2, 3));
        Module module = model.Output(model.Add("end", new Add(), y, model.Input("x", 2, 3))).Build();

        Assert.Equal("the copy keeps what the variable 'state' held", PassModel.Declines(new RemoveReshape(), module, "y"));
    }

    [Fact]
    public void Keeps_a_copy_that_is_declared_with_another_quantization()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [2, 3], Grid));
        Value y = model.AddQuantized("y", new Reshape([2, 3]), new(0.1f, 0), x);
        Module module = model.Output(model.AddQuantized("end", new Relu(), Grid, y)).Build();

        Assert.StartsWith("the operand is declared as i8[2, 3] scale=0.05", PassModel.Declines(new RemoveReshape(), module, "y"), StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_reshapes_in_a_row()
    {
        PassModel model = new();
        Value a = model.Add("a", new Reshape([3, 2]), model.Input("x", 2, 3));
        Module module = model.Output(model.Add("y", new Reshape([6]), a)).Build();
        Module squeezed = Chain([2, 3], new Reshape([1, 6]), new Squeeze([0]));

        Assert.Equal("reshape", PassModel.Ops(PassModel.Fires(new MergeReshapes(), module, "y")));
        Assert.Equal("reshape tanh", PassModel.Ops(PassModel.Fires(new MergeReshapes(), squeezed, "y")));
        Assert.Equal("its operand is not the result of a reshape", PassModel.Declines(new MergeReshapes(), module, "a"));
    }

    [Fact]
    public void Does_not_merge_reshapes_over_a_variable_or_a_change_of_quantization()
    {
        PassModel model = new();
        Value a = model.Add("a", new Reshape([6]), PassModel.Variable("state", 2, 3));
        Module module = model.Output(model.Add("end", new Add(), model.Add("y", new Reshape([3, 2]), a), model.Input("x", 3, 2))).Build();
        Assert.Equal("the first reshape keeps what the variable 'state' held", PassModel.Declines(new MergeReshapes(), module, "y"));

        PassModel quantized = new();
        Value q = quantized.AddQuantized("a", new Reshape([6]), new(0.1f, 0), quantized.Input("x", new TensorType(DType.I8, [2, 3], Grid)));
        Module other = quantized.Output(quantized.AddQuantized("y", new Reshape([3, 2]), new(0.1f, 0), q)).Build();
        Assert.Equal("the first reshape changes the quantization", PassModel.Declines(new MergeReshapes(), other, "y"));
    }

    [Fact]
    public void Removes_a_transpose_in_order_and_merges_two()
    {
        Removes(new RemoveTranspose(), new Transpose(), PassModel.Ints("p", 0, 1));
        Assert.Equal("it changes the order of the dimensions to [1, 0]", Keeps(new RemoveTranspose(), new Transpose(), PassModel.Ints("p", 1, 0)));

        PassModel model = new();
        Value a = model.Add("a", new Transpose(), model.Input("x", 2, 3, 4), PassModel.Ints("p", 1, 2, 0));
        Module module = model.Output(model.Add("y", new Transpose(), a, PassModel.Ints("q", 0, 2, 1))).Build();
        Module merged = PassModel.Fires(new MergeTransposes(), module, "y");
        Assert.Equal([1, 0, 2], Assert.Single(merged.Main.Nodes).Inputs[1]!.Constant!.AsInts());
        Assert.Equal("its operand is not the result of a transpose", PassModel.Declines(new MergeTransposes(), module, "a"));
    }

    [Fact]
    public void Does_not_read_a_permutation_that_is_computed()
    {
        PassModel model = new();
        Value p = model.Input("p", new TensorType(DType.I32, [2]));
        Value a = model.AddTyped("a", new Transpose(), new(DType.F32, [-1, -1]), model.Input("x", 2, 3), p);
        Module module = model.Output(model.AddTyped("y", new Transpose(), new(DType.F32, [-1, -1]), a, p)).Build();

        Assert.Equal("the permutation is computed", PassModel.Declines(new RemoveTranspose(), module, "a"));
        Assert.Equal("a permutation is computed", PassModel.Declines(new MergeTransposes(), module, "y"));
    }

    [Fact]
    public void Removes_a_quantization_back_to_where_the_value_came_from()
    {
        foreach (DType type in (ReadOnlySpan<DType>)[DType.I8, DType.U8, DType.I16])
        {
            QuantParams grid = type is DType.I16 ? new(0.013f, 0) : Grid;
            PassModel model = new();
            Value q = model.Input("x", new TensorType(type, [500], grid));
            Value y = model.AddTyped("y", new QuantizeOp(), q.Type, model.Add("real", new Dequantize(), q));
            Module module = model.Output(model.Add("end", new Dequantize(), y)).Build();

            Assert.Equal("dequantize", PassModel.Ops(PassModel.Fires(new RemoveQuantize(), module, "y")));
        }
    }

    [Fact]
    public void Removes_a_requantization_to_the_same_grid_only()
    {
        PassModel model = new();
        Value q = model.Input("x", new TensorType(DType.I8, [500], Grid));
        Value same = model.AddTyped("same", new QuantizeOp(), q.Type, q);
        Value other = model.AddTyped("other", new QuantizeOp(), q.Type with { Quant = new(0.06f, 3) }, q);
        Value real = model.Add("real", new Tanh(), model.Add("back", new Dequantize(), same));
        Value rounded = model.AddTyped("rounded", new QuantizeOp(), q.Type, real);
        Module module = model.Output(model.Add("end", new Dequantize(), other), model.Add("end2", new Dequantize(), rounded)).Build();

        PassModel.Fires(new RemoveQuantize(), module, "same");
        Assert.StartsWith("it changes i8[500] scale=0.05 zero=3 to", PassModel.Declines(new RemoveQuantize(), module, "other"), StringComparison.Ordinal);
        Assert.Equal("its operand is not the result of a DEQUANTIZE", PassModel.Declines(new RemoveQuantize(), module, "rounded"));
    }

    [Fact]
    public void Keeps_a_quantization_by_a_scale_beyond_float()
    {
        PassModel model = new();
        Value q = model.Input("x", new TensorType(DType.I8, [4], new(1e-40f, 0)));
        Value y = model.AddTyped("y", new QuantizeOp(), q.Type, model.Add("real", new Dequantize(), q));
        Module module = model.Output(model.Add("end", new Dequantize(), y)).Build();

        Assert.Equal("a scale is too small or too large for the products to be exact", PassModel.Declines(new RemoveQuantize(), module, "y"));
    }

    [Fact]
    public void Removes_borders_without_width()
    {
        Removes(new RemovePad(), new Pad(), PassModel.Paddings("w", 0, 0, 0, 0));
        Removes(new RemovePad(), new PadV2(), PassModel.Paddings("w", 0, 0, 0, 0), PassModel.Floats("v", [1], 3));
        Removes(new RemovePad(), new MirrorPad(MirrorPadMode.Reflect), PassModel.Paddings("w", 0, 0, 0, 0));
        Assert.Equal("the border has a width", Keeps(new RemovePad(), new Pad(), PassModel.Paddings("w", 0, 0, 0, 1)));
    }

    [Fact]
    public void Removes_slices_of_everything()
    {
        Removes(new RemoveSlice(), new Slice(), PassModel.Ints("b", 0, 0), PassModel.Ints("s", 2, 3));
        Removes(new RemoveSlice(), new Slice(), PassModel.Ints("b", 0, 0), PassModel.Ints("s", -1, 3));
        Assert.Equal(
            "it takes a part of dimension 1 of [2, 3]",
            Keeps(new RemoveSlice(), new Slice(), PassModel.Ints("b", 0, 0), PassModel.Ints("s", 2, 2)));
        Assert.Equal(
            "it takes a part of dimension 1 of [2, 3]",
            Keeps(new RemoveSlice(), new Slice(), PassModel.Ints("b", 0, 1), PassModel.Ints("s", 2, -1)));
    }

    [Fact]
    public void Removes_strided_slices_of_everything()
    {
        StridedSlice plain = new(0, 0, 0, 0, 0);
        Value[] whole = [PassModel.Ints("b", 0, 0), PassModel.Ints("e", 2, 3), PassModel.Ints("s", 1, 1)];
        Removes(new RemoveStridedSlice(), plain, whole);
        Removes(new RemoveStridedSlice(), new StridedSlice(3, 3, 0, 0, 0), PassModel.Ints("b", 1, 1), PassModel.Ints("e", 1, 1), PassModel.Ints("s", 1, 1));
        Assert.Equal(
            "it leaves elements out or turns their order",
            Keeps(new RemoveStridedSlice(), new StridedSlice(3, 3, 0, 0, 0), PassModel.Ints("b", 0, 0), PassModel.Ints("e", 0, 0), PassModel.Ints("s", 1, -1)));
        Assert.Equal(
            "it takes [2, 2] of [2, 3]",
            Keeps(new RemoveStridedSlice(), plain, PassModel.Ints("b", 0, 1), PassModel.Ints("e", 2, 3), PassModel.Ints("s", 1, 1)));
        Assert.Equal(
            "it inserts or drops dimensions",
            Keeps(new RemoveStridedSlice(), new StridedSlice(0, 0, 0, 0, 1), PassModel.Ints("b", 0, 0), PassModel.Ints("e", 1, 3), PassModel.Ints("s", 1, 1)));
    }

    [Theory]
    [InlineData(0, 3, "tanh")]
    [InlineData(0, 2, null)]
    [InlineData(1, 3, null)]
    public void Removes_a_strided_slice_of_an_unknown_dimension_only_if_it_is_open(int begin, int endMask, string? left)
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.F32, [-1, 3]));
        Value y = model.AddTyped(
            "y", new StridedSlice(0, endMask, 0, 0, 0), x.Type, x, PassModel.Ints("b", begin, 0), PassModel.Ints("e", 5, 3), PassModel.Ints("s", 1, 1));
        Module module = model.Output(model.Add("end", new Tanh(), y)).Build();

        if (left is null)
        {
            Assert.Equal("it may take a part of [?, 3]", PassModel.Declines(new RemoveStridedSlice(), module, "y"));
            return;
        }

        Assert.Equal(left, PassModel.Ops(PassModel.Fires(new RemoveStridedSlice(), module, "y")));
    }

    [Fact]
    public void Removes_joins_of_one_and_repetitions_by_one()
    {
        Removes(new RemoveConcatenation(), new Concatenation(1));
        Removes(new RemoveRepetition(), new Tile(), PassModel.Ints("m", 1, 1));
        Removes(new RemoveRepetition(), new BroadcastTo(), PassModel.Ints("s", 2, 3));
        Assert.Equal("it joins 2 tensors", Keeps(new RemoveConcatenation(), new Concatenation(1), PassModel.Random("c", 1, 2, 1)));
        Assert.Equal("it repeats [2, 3] to [4, 3]", Keeps(new RemoveRepetition(), new Tile(), PassModel.Ints("m", 2, 1)));
        Assert.Equal("it repeats [2, 3] to [2, 2, 3]", Keeps(new RemoveRepetition(), new BroadcastTo(), PassModel.Ints("s", 2, 2, 3)));
    }

    [Fact]
    public void Removes_a_cast_to_the_same_type_only()
    {
        Removes(new RemoveCast(), new Cast(DType.F32));
        Module module = Chain([2, 3], new Cast(DType.I32), new Cast(DType.F32));
        Assert.Equal("it changes f32 to i32", PassModel.Declines(new RemoveCast(), module, "first"));
        Assert.Equal("it changes i32 to f32", PassModel.Declines(new RemoveCast(), module, "y"));
    }

    [Fact]
    public void Leaves_sparse_constants_to_the_operator_that_reads_them()
    {
        TensorData data = new(DType.F32, [4], new byte[4], new SparseLayout([0], [], [new SparseLevel(4, [0, 1], [2])]));
        PassModel model = new();
        Value sparse = GraphBuilder.Constant(data, "sparse");
        Value dense = model.Add("dense", new Densify(), sparse);
        Value same = model.Add("same", new Reshape([4]), sparse);
        Value flat = model.Add("flat", new Reshape([2, 2]), dense);
        Module module = model.Output(model.Add("y", new Add(), model.Add("z", new Add(), model.Input("x", 4), same), model.Add("back", new Reshape([4]), flat))).Build();

        Assert.False(new RemoveReshape().Concerns(new Densify()));
        Assert.Equal("'sparse' is stored sparse, which other operators do not read", PassModel.Declines(new RemoveReshape(), module, "same"));
        Assert.Equal("its operand is not the result of a reshape", PassModel.Declines(new MergeReshapes(), module, "flat"));
    }

    [Fact]
    public void Removes_a_resizing_to_the_same_size_where_it_is_exact()
    {
        foreach (IOp op in (ReadOnlySpan<IOp>)[
            new ResizeNearestNeighbor(), new ResizeNearestNeighbor(HalfPixelCenters: true), new ResizeNearestNeighbor(AlignCorners: true)])
        {
            Module module = Chain([1, 3, 5, 2], op, new Tanh(), PassModel.Ints("size", 3, 5));
            Assert.Equal("tanh tanh", PassModel.Ops(PassModel.Fires(new RemoveResize(), module, "first")));
        }

        foreach (IOp op in (ReadOnlySpan<IOp>)[new ResizeBilinear(), new ResizeBilinear(HalfPixelCenters: true)])
        {
            PassModel model = new();
            Value x = model.Input("x", new TensorType(DType.I8, [1, 3, 5, 2], Grid));
            Module module = model.Output(model.Add("end", new Dequantize(), model.AddQuantized("y", op, Grid, x, PassModel.Ints("size", 3, 5)))).Build();
            Assert.Equal("dequantize", PassModel.Ops(PassModel.Fires(new RemoveResize(), module, "y")));
        }
    }

    [Fact]
    public void Keeps_a_resizing_that_is_not_exact()
    {
        Module bilinear = Chain([1, 3, 5, 2], new ResizeBilinear(), new Tanh(), PassModel.Ints("size", 3, 5));
        Module larger = Chain([1, 3, 5, 2], new ResizeNearestNeighbor(), new Tanh(), PassModel.Ints("size", 3, 6));

        Assert.StartsWith("a weighted sum of floats", PassModel.Declines(new RemoveResize(), bilinear, "first"), StringComparison.Ordinal);
        Assert.Equal("it changes the size of [1, 3, 5, 2] to [3, 6]", PassModel.Declines(new RemoveResize(), larger, "first"));
    }

    [Fact]
    public void Removes_neutral_operands_that_keep_every_bit()
    {
        Removes(new RemoveNeutralOperand(), new Mul(), PassModel.Floats("c", [], 1));
        Removes(new RemoveNeutralOperand(), new Mul(), PassModel.Floats("c", [3], 1, 1, 1));
        Removes(new RemoveNeutralOperand(), new Div(), PassModel.Floats("c", [3], 1, 1, 1));
        Removes(new RemoveNeutralOperand(), new Sub(), PassModel.Floats("c", [1], 0));
        Removes(new RemoveNeutralOperand(), new Add(), PassModel.Floats("c", [1], -0f));
    }

    [Fact]
    public void Removes_a_neutral_operand_of_plain_integers()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I32, [4]));
        Value y = model.Add("y", new Add(), PassModel.Ints("zero", 0), x);
        Module module = model.Output(model.Add("end", new Mul(), y, y)).Build();

        Assert.Equal("mul", PassModel.Ops(PassModel.Fires(new RemoveNeutralOperand(), module, "y")));
    }

    [Fact]
    public void Keeps_operands_that_are_not_neutral_for_every_number()
    {
        string Reason(IOp op, Value constant) => Keeps(new RemoveNeutralOperand(), op, constant);

        Assert.Equal("the constant is not neutral for every number", Reason(new Add(), PassModel.Floats("c", [1], 0)));
        Assert.Equal("the constant is not neutral for every number", Reason(new Sub(), PassModel.Floats("c", [1], -0f)));
        Assert.Equal("the constant is not neutral for every number", Reason(new Mul(), PassModel.Floats("c", [3], 1, 1, 1.0000001f)));
        Assert.Equal("the fused Relu changes the result", Reason(new Mul(FusedActivation.Relu), PassModel.Floats("c", [1], 1)));
        Assert.Equal("the operand is declared as f32[2, 3], the copy as f32[4, 2, 3]", Reason(new Mul(), PassModel.Floats("c", [4, 1, 1], 1, 1, 1, 1)));
        PassModel model = new();
        Module turned = model.Output(model.Add("y", new Sub(), PassModel.Floats("c", [1], 0), model.Add("a", new Tanh(), model.Input("x", 3)))).Build();
        Assert.Equal("the constant is what is subtracted from or divided", PassModel.Declines(new RemoveNeutralOperand(), turned, "y"));
    }

    [Fact]
    public void Keeps_a_neutral_operand_of_quantized_arithmetic()
    {
        PassModel model = new();
        Value x = model.Input("x", new TensorType(DType.I8, [4], Grid));
        Value one = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [1], [100]), "one", new(0.01f, 0));
        Module module = model.Output(model.AddQuantized("y", new Mul(), Grid, x, one)).Build();

        Assert.Equal("quantized arithmetic rounds to the grid of the result", PassModel.Declines(new RemoveNeutralOperand(), module, "y"));
    }

    private static Module Chain(Shape shape, IOp first, IOp second, params Value[] operands)
    {
        PassModel model = new();
        Value a = model.Add("first", first, [model.Input("x", shape.Dims.AsSpan()), .. operands]);
        return model.Output(model.Add("end", new Tanh(), model.Add("y", second, a))).Build();
    }

    private static Module Around(IOp op, Value[] operands)
    {
        PassModel model = new();
        Value y = model.Add("y", op, [model.Input("x", 2, 3), .. operands]);
        return model.Output(model.Add("end", new Neg(), y)).Build();
    }

    private static void Removes(IRewriteRule rule, IOp op, params Value[] operands) =>
        Assert.Equal("neg", PassModel.Ops(PassModel.Fires(rule, Around(op, operands), "y")));

    private static string Keeps(IRewriteRule rule, IOp op, params Value[] operands) => PassModel.Declines(rule, Around(op, operands), "y");
}
