using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Runtime;

public sealed class InterpreterTests
{
    [Fact]
    public void Computes_and_keeps_its_inputs()
    {
        using Interpreter interpreter = new(Chain([4], new LeakyRelu(0.5f), new LeakyRelu(0.5f)));
        ((float[])[-4, -1, 0, 2]).CopyTo(interpreter.Input<float>(0));

        interpreter.Run();
        interpreter.Run();

        Assert.Equal([-1, -0.25f, 0, 2], interpreter.Output<float>(0).ToArray());
        Assert.Equal([-4, -1, 0, 2], interpreter.Input<float>(0).ToArray());
    }

    [Fact]
    public void Shares_the_memory_of_a_reshape_and_still_reports_the_node()
    {
        using Interpreter interpreter = new(Chain([4], new LeakyRelu(0.5f), new Reshape([2, 2]), new LeakyRelu(0.5f)));
        List<string> done = [];
        interpreter.NodeDone = node => done.Add(node.Op.Schema.Name);
        ((float[])[-4, -1, 0, 2]).CopyTo(interpreter.Input<float>(0));

        interpreter.Run();

        Assert.Equal(["leaky_relu", "reshape", "leaky_relu"], done);
        Assert.Equal([-1, -0.25f, 0, 2], interpreter.Output<float>(0).ToArray());
        Assert.Equal([2, 2], interpreter.OutputType(0).Shape.Dims.ToArray());
    }

    /// <summary>Readers of the operand before the node do not matter but count; a reader behind it, or a view of it, must find it unchanged.</summary>
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    public void Overwrites_an_operand_only_when_nobody_else_reads_it(bool isReadAgain, bool throughView, bool keeps)
    {
        const int length = 1000;
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [length]));
        Value y = builder.Input("y", new(DType.F32, [length]));
        Value doubled = builder.Add(new Add(), [x, x], "double").Output;
        Value operand = throughView ? builder.Add(new Reshape([length]), [doubled, null], "view").Output : doubled;
        Value passed = builder.Add(new ActivationGradient(FusedActivation.Relu), [operand, y], "pass").Output;
        builder.Output(builder.Add(new Mul(), [passed, passed], "square").Output);
        if (isReadAgain)
        {
            builder.Output(builder.Add(new Abs(), [doubled], "again").Output);
        }

        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]), options: new() { KeepIntermediates = keeps });
        Random random = new(3);
        float[] given = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
        float[] sign = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
        for (int run = 0; run < 2; run++)
        {
            given.CopyTo(interpreter.Input<float>(0));
            sign.CopyTo(interpreter.Input<float>(1));
            interpreter.Run();
            Assert.Equal(given.Zip(sign, (g, s) => s > 0 ? 4 * g * g : 0), interpreter.Output<float>(0).ToArray());
            if (isReadAgain)
            {
                Assert.Equal(given.Select(g => Math.Abs(2 * g)), interpreter.Output<float>(1).ToArray());
            }
        }

        // x, y, the doubled value and the square, and a value for what passes unless it shares.
        int values = 4 + (isReadAgain ? 2 : 0) + (keeps ? 1 : 0);
        Assert.InRange(interpreter.ArenaBytes, (values - 1) * length * sizeof(float), values * ((length * sizeof(float)) + 64));
        Assert.True(keeps || isReadAgain || interpreter.ArenaBytes < 5 * length * sizeof(float));
    }

    [Fact]
    public void Gives_an_unknown_outermost_dimension_the_batch_size()
    {
        Module module = Chain([-1, 3], new LeakyRelu(0.5f));

        using Interpreter interpreter = new(module, options: new() { Batch = 5 });

        Assert.Equal([5, 3], interpreter.InputType(0).Shape.Dims.ToArray());
        Assert.Equal(60, interpreter.Output(0).Length);
    }

    [Fact]
    public void Allocates_nothing_for_a_run()
    {
        using Interpreter interpreter = new(ConvolutionThenPool());
        interpreter.Run();
        long before = GC.GetAllocatedBytesForCurrentThread();

        interpreter.Run();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Gives_the_same_bits_for_any_number_of_threads()
    {
        byte[] one = RunConvolution(threads: 1);

        Assert.Equal(one, RunConvolution(threads: 2));
        Assert.Equal(one, RunConvolution(threads: 5));
    }

    [Fact]
    public void Names_every_operator_that_cannot_be_executed()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [4]));
        foreach (string name in (string[])["Mine", "Yours"])
        {
            x = builder.Add(new OpaqueTfLite(BuiltinOperator.Custom, name, 1), [x], [GraphBuilder.Result(name, x.Type)], name).Output;
        }

        builder.Output(x);

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => new Interpreter(GraphBuilder.Module([builder.Build()])));

        Assert.Equal(
            ["the operator 'Mine' cannot be executed", "the operator 'Yours' cannot be executed"],
            problem.Diagnostics.Select(d => d.Message));
        Assert.All(problem.Diagnostics, d => Assert.Equal(DiagnosticId.NotExecutable, d.Id));
    }

    [Fact]
    public void Refuses_a_model_that_needs_more_memory_than_allowed()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(
            () => new Interpreter(Chain([1000, 1000], new LeakyRelu(0.5f)), options: new() { MemoryLimit = 1_000_000 }));

        Assert.Equal(DiagnosticId.MemoryLimit, Assert.Single(problem.Diagnostics).Id);
    }

    [Fact]
    public void Stops_between_nodes_when_cancelled()
    {
        using Interpreter interpreter = new(Chain([4], new LeakyRelu(0.5f), new LeakyRelu(0.5f)));
        using CancellationTokenSource cancellation = new();
        interpreter.NodeDone = _ => cancellation.Cancel();

        Assert.Throws<OperationCanceledException>(() => interpreter.Run(cancellation.Token));
    }

    /// <summary>The first dimension behind WHERE is known only while running, and differs from run to run.</summary>
    [Fact]
    public void Follows_shapes_that_depend_on_the_data()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [2, 3]));
        Value limit = GraphBuilder.Constant(TensorData.Scalar(0.5f), "limit");
        Value isLarge = builder.Add(new Greater(), [x, limit], "greater").Output;
        Value places = builder.Add(new Where(), [isLarge], "where").Output;
        Value indices = builder.Add(new Cast(DType.I32), [places], "cast").Output;
        builder.Output(indices);
        builder.Output(builder.Add(new GatherNd(), [x, indices], "gather").Output);
        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]));

        foreach (float[] data in (float[][])[[1, 0, 2, 0, 0, 3], [0, 0, 0, 4, 0, 0], [0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6], [0, 7, 0, 0, 8, 0]])
        {
            data.CopyTo(interpreter.Input<float>(0));

            interpreter.Run();

            int[] large = [.. Enumerable.Range(0, 6).Where(i => data[i] > 0.5f)];
            Assert.Equal(Shape.Of([large.Length, 2]), interpreter.OutputType(0).Shape);
            Assert.Equal(Shape.Of([large.Length]), interpreter.OutputType(1).Shape);
            Assert.Equal(large.SelectMany(i => new[] { i / 3, i % 3 }), interpreter.Output<int>(0).ToArray());
            Assert.Equal(large.Select(i => data[i]), interpreter.Output<float>(1).ToArray());
        }
    }

    [Fact]
    public void Keeps_intermediate_values_on_request()
    {
        Module module = Chain([4], new LeakyRelu(0.5f), new LeakyRelu(0.5f), new LeakyRelu(0.5f));
        using Interpreter interpreter = new(module, options: new() { KeepIntermediates = true });
        interpreter.Input<float>(0).Fill(-8);

        interpreter.Run();

        Assert.Equal(
            [-4f, -2f, -1f],
            module.Main.Nodes.Select(n => BitConverter.ToSingle(interpreter.Bytes(n.Outputs[0]))));
    }

    private static byte[] RunConvolution(int threads)
    {
        using Interpreter interpreter = new(ConvolutionThenPool(), options: new() { Threads = threads });
        Random random = new(3);
        foreach (ref float value in interpreter.Input<float>(0))
        {
            value = random.NextSingle() - 0.5f;
        }

        interpreter.Run();
        return interpreter.Output(0).ToArray();
    }

    private static Module ConvolutionThenPool()
    {
        Random random = new(1);
        float[] weights = new float[8 * 3 * 3 * 4];
        foreach (ref float value in weights.AsSpan())
        {
            value = random.NextSingle() - 0.5f;
        }

        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 32, 32, 4]));
        Value w = GraphBuilder.Constant(TensorData.FromFloats([8, 3, 3, 4], weights), "w");
        Value c = builder.Add(new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), [x, w], "conv").Output;
        builder.Output(builder.Add(new MaxPool2D(2, 2, 2, 2, PaddingMode.Valid), [c], "pool").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static Module Chain(Shape shape, params IOp[] ops)
    {
        GraphBuilder builder = new("main");
        Value value = builder.Input("x", new(DType.F32, shape));
        foreach (IOp op in ops)
        {
            value = builder.Add(op, [value], "y").Output;
        }

        builder.Output(value);
        return GraphBuilder.Module([builder.Build()]);
    }
}
