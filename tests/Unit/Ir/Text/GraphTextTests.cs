using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ir.Text;

public sealed class GraphTextTests
{
    private static readonly TensorType Pair = new(DType.F32, [2]);

    [Fact]
    public void A_graph_reads_from_top_to_bottom()
    {
        GraphBuilder builder = new("kws");
        Value x = builder.Input("x", new(DType.I8, [1, -1], new(0.5f, -3)));
        Value shape = GraphBuilder.Constant(TensorData.FromInts([2], [2, -1]), "shape");
        Value leaky = builder.Add(new LeakyRelu(0.25f), [x], "act", new QuantParams(0.25f, 4)).Output;
        builder.Output(builder.Add(new Reshape([]), [leaky, shape], [GraphBuilder.Result("y", new(DType.I8, [2, -1]))], "flat").Output);

        Assert.Equal(
            """
            graph kws(%x: i8[1, ?] scale=0.5 zero=-3) -> (%y) {
              @shape: i32[2] = [2, -1]
              %act: i8[1, ?] scale=0.25 zero=4 = leaky_relu(%x) { alpha: 0.25 }
              %y: i8[2, ?] = reshape(%act, @shape) { shape: [] } as "flat"
            }

            """,
            GraphPrinter.Print(builder.Build()),
            ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Types_may_be_left_to_the_shape_rule()
    {
        Graph graph = OpText.ParseGraph(
            """
            graph g(%x: f32[1, 6]) -> (%y) {   // a comment
              @s: i32[2] = [3, -1]
              %a = leaky_relu(%x) { alpha: 0.5 }
              %y = reshape(%a, @s) { shape: [] }
            }
            """);

        Assert.Equal([3, 2], graph.Outputs[0].Type.Shape);
        Assert.Equal(new LeakyRelu(0.5f), graph.Nodes[0].Op);
        Assert.Equal("a", graph.Nodes[0].Name);
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Printing_what_was_parsed_gives_the_same_text(string what)
    {
        Module module = Made[what]();
        string text = GraphPrinter.Print(module);
        Module back = OpText.ParseModule(text);

        Assert.Equal(text, GraphPrinter.Print(back));
        AssertSame(module, back);
        Assert.Equal(Verifier.Check(module).Select(d => d.ToString()), Verifier.Check(back).Select(d => d.ToString()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_graphs_survive(int seed)
    {
        for (int i = 0; i < 50; i++)
        {
            Module module = RandomModule(new Random((seed * 1000) + i));
            string text = GraphPrinter.Print(module);
            Module back = OpText.ParseModule(text);
            Assert.True(text == GraphPrinter.Print(back), $"seed {seed}, module {i}\n{text}");
            AssertSame(module, back);
        }
    }

    [Fact]
    public void Large_constants_are_left_out_for_people_and_refused_by_the_parser()
    {
        GraphBuilder builder = new("g");
        builder.Output(GraphBuilder.Constant(TensorData.FromFloats([100], new float[100]), "big"));
        Module module = GraphBuilder.Module([builder.Build()]);
        string text = GraphPrinter.Print(module, PrintOptions.Readable);

        Assert.Contains("@big: f32[100] = ...", text, StringComparison.Ordinal);
        Diagnostic problem = Assert.Throws<DiagnosticException>(() => OpText.ParseModule(text)).Diagnostics[0];
        Assert.Equal("the content of a constant was left out when the text was printed", problem.Message);
        Assert.Equal("line 2, column 20", Assert.Single(problem.At));
    }

    [Theory]
    [InlineData("grph g", "line 1, column 1")]
    [InlineData("graph g(%x: f32[2]) -> (%z) {\n}", "line 1, column 25")]
    [InlineData("graph g(%x: f33[2]) -> (%x) {\n}", "line 1, column 13")]
    [InlineData("graph g(%x: f32[-2]) -> (%x) {\n}", "line 1, column 17")]
    [InlineData("graph g() -> () {\n  @c: f32[2] = [1]\n}", "line 2, column 14")]
    [InlineData("graph g() -> () {\n  @c: i8[1] = [300]\n}", "line 2, column 15")]
    [InlineData("graph g() -> () {\n  @c: i8[1] = base64:\"?\"\n}", "line 2, column 15")]
    [InlineData("graph g() -> () {\n  @c: i8[1]\n}", "line 3, column 1")]
    [InlineData("graph g() -> () {\n  @c: i8[65536, 65536, 65536, 65536] = [1]\n}", "line 2, column 38")]
    [InlineData("graph g(%x: f32[2]) -> (%y) {\n  %y = leaky_relu(%q) { alpha: 1.0 }\n}", "line 2, column 19")]
    [InlineData("graph g(%x: f32[2]) -> (%y) {\n  %y = leaky_relu(%x) { alpha: 1.0, alpha: 2.0 }\n}", "line 2, column 37")]
    [InlineData("graph g(%x: f32[2]) -> (%y) {\n  %x = leaky_relu(%x) { alpha: 1.0 }\n}", "line 2, column 3")]
    [InlineData("graph g(%x: f32[2]) -> (%x, %x#2) {\n}", "line 1, column 29")]
    [InlineData("graph g(%x: f32[2]) -> (%x) {\n}\nsignature \"s\" h() -> ()", "line 3, column 15")]
    [InlineData("graph g(%x: f32[2]) -> (%x) {", "line 1, column 30")]
    [InlineData("graph g(\"", "line 1, column 9")]
    [InlineData("", "line 1, column 1")]
    public void Says_where_the_text_is_wrong(string text, string place)
    {
        Diagnostic problem = Assert.Throws<DiagnosticException>(() => OpText.ParseModule(text)).Diagnostics[0];

        Assert.Equal(DiagnosticId.TextSyntax, problem.Id);
        Assert.Equal(place, Assert.Single(problem.At));
    }

    [Theory]
    [InlineData("%y = leaky_relu(%x)", "attribute 'alpha' is missing")]
    [InlineData("%y = leaky_relu(%x) { alpha: red }", "attribute 'alpha' has a value that is not allowed")]
    [InlineData("%y = leaky_relu(%x) { alpha: 1.0, beta: 2 }", "the operator 'leaky_relu' has no such attribute")]
    [InlineData("%y = leaky_relu() { alpha: 1.0 }", "operand 0 is missing")]
    [InlineData("%y = leaki_relu(%x) { alpha: 1.0 }", "there is no operator of this name")]
    [InlineData("%y = reshape(%x) { shape: [99999999999] }", "attribute 'shape' has a value that is not allowed")]
    [InlineData("%y, %z = leaky_relu(%x) { alpha: 1.0 }", "the operator has another number of results")]
    public void Says_what_an_op_refuses(string line, string message)
    {
        Diagnostic problem = Assert.Throws<DiagnosticException>(
            () => OpText.ParseGraph($"graph g(%x: f32[2]) -> (%y) {{\n  {line}\n}}")).Diagnostics[0];

        Assert.Equal(message, problem.Message);
        Assert.StartsWith("line 2", problem.At[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Any_cut_of_a_text_gives_a_diagnostic_or_a_module()
    {
        string text = GraphPrinter.Print(Made["constants"]()) + GraphPrinter.Print(Made["names"]());
        for (int length = 0; length < text.Length; length++)
        {
            try
            {
                OpText.ParseModule(text[..length]);
            }
            catch (DiagnosticException)
            {
                // A cut text is refused by a diagnostic; anything else fails the test.
            }
        }
    }

    [Fact]
    public void Cases_read_an_op_a_type_or_a_tensor_alone()
    {
        Assert.Equal(new LeakyRelu(-0.5f), OpText.ParseOp("leaky_relu { alpha: -0.5 }"));
        Assert.Equal(new TensorType(DType.I8, [4, -1], new(0.5f, 3)), GraphParser.ParseType("i8[4, ?] scale=0.5 zero=3"));
        (TensorType type, TensorData content) = GraphParser.ParseTensor("i8[4] scale=0.5 zero=0    [-4, -1, 0, 6]");
        Assert.Equal(new TensorType(DType.I8, [4], new(0.5f, 0)), type);
        Assert.Equal<sbyte>([-4, -1, 0, 6], content.Span<sbyte>().ToArray());
        Assert.Throws<DiagnosticException>(() => GraphParser.ParseTensor("i8[4]"));
        Assert.Throws<DiagnosticException>(() => GraphParser.ParseType("i8[4] i8"));
    }

    public static TheoryData<string> Modules() => [.. Made.Keys];

    private static readonly Dictionary<string, Func<Module>> Made = new()
    {
        ["names"] = static () =>
        {
            GraphBuilder builder = new("a graph \"quoted\"");
            Value first = builder.Input("", Pair);
            Value second = builder.Input("", Pair);
            Value third = builder.Input("x", Pair);
            Value same = builder.Input("x", Pair);
            Value odd = builder.Input("a;b:0 \\ \" \n\r//c", Pair);
            Value slash = builder.Input("conv1/Relu_2.x", Pair);
            Value like = builder.Add(new LeakyRelu(1), [same], "x").Output;
            foreach (Value value in new[] { first, second, third, same, odd, slash, like })
            {
                builder.Output(value);
            }

            builder.Output(builder.Add(new LeakyRelu(0.1f), [second], [GraphBuilder.Result("", Pair)], "a \"layer\"").Output);
            return GraphBuilder.Module([builder.Build()], description: "made \"here\"\nby hand");
        },
        ["constants"] = static () =>
        {
            GraphBuilder builder = new("g");
            foreach (TensorData data in Contents())
            {
                builder.Output(GraphBuilder.Constant(data, $"{data.DType.Name}"));
            }

            builder.Output(GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [2, 2], [1, 2, 3, 4]), "axis", new([0.5f, 1e-30f], [0, -1], 1) { Min = [-1, -2], Max = [1, 2] }));
            builder.Output(GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [2, 2], [1, 2, 3, 4]), "one zero", new([0.5f, 0.25f], [7], 0)));
            return GraphBuilder.Module([builder.Build()]);
        },
        ["sparse"] = static () =>
        {
            GraphBuilder builder = new("g");
            SparseLayout layout = new([0, 1, 2], [1], [new(2, [], []), new(0, [0, 1, 2], [1, 0]), new(2, [], [])]);
            builder.Output(GraphBuilder.Constant(new(DType.F32, [2, 4], TensorData.FromFloats([4], [1, 2, 3, 4]).Bytes, layout), "w"));
            return GraphBuilder.Module([builder.Build()]);
        },
        ["state, missing operands and side effects"] = static () =>
        {
            GraphBuilder builder = new("main");
            Value x = builder.Input("x", new(DType.F32, [1, 2]));
            Value handle = builder.Add(new VarHandle("", "v"), [], "h").Output;
            Value y = builder.Add(
                new Svdf(1, Optc.Ops.Kernels.FusedActivation.Relu),
                [
                    x,
                    GraphBuilder.Constant(TensorData.FromFloats([1, 2], [1, float.NaN]), "w"),
                    GraphBuilder.Constant(TensorData.FromFloats([1, 3], [1, -0f, float.PositiveInfinity]), "t"),
                    null,
                    GraphBuilder.Variable("state", new(DType.F32, [1, 3])),
                ],
                "y").Output;
            builder.Add(new AssignVariable(), [handle, y], [], "keep");
            builder.Add(new AssignVariable(), [handle, y], [], "");
            builder.Output(y);
            return GraphBuilder.Module([builder.Build()]);
        },
        ["several graphs and signatures"] = static () =>
        {
            GraphBuilder go = new("go");
            go.Output(go.Input("c", new(DType.Bool, Shape.Scalar)));
            GraphBuilder init = new("init");
            GraphBuilder main = new("main", name => name == "go" ? go.Build() : init.Build());
            Value c = main.Input("c", new(DType.Bool, Shape.Scalar));
            main.Add(new CallOnce("init"), [], "once");
            Node loop = main.Add(new While("go", "go"), [c], "loop");
            main.Output(loop.Output);
            main.Output(loop.Output);
            Graph graph = main.Build();
            return GraphBuilder.Module(
                [graph, go.Build(), init.Build()],
                [
                    new("serving_default", graph, [("in \"put\"", c)], [("out", loop.Output), ("again", loop.Output)]),
                    new("go", go.Build(), [("c", go.Build().Inputs[0])], [("c", go.Build().Outputs[0])]),
                ],
                [("min_runtime_version", new byte[] { 49, 46, 53, 0 }), ("empty", Array.Empty<byte>())]);
        },
        ["several results and unknown types"] = static () =>
        {
            GraphBuilder builder = new("g");
            Value x = builder.Input("x", new(DType.String, Shape.Unranked));
            Node node = builder.Add(
                new OpaqueTfLite(BuiltinOperator.Custom, "My\nOp", 3),
                [x, null, x],
                [GraphBuilder.Result("a", new(DType.C64, [-1, 0])), GraphBuilder.Result("b", new(DType.Variant, Shape.Unranked))],
                "a");
            builder.Output(node.Outputs[1]);
            builder.Output(node.Outputs[0]);
            return GraphBuilder.Module([builder.Build()]);
        },
    };

    private static IEnumerable<TensorData> Contents()
    {
        yield return TensorData.FromFloats([4], [1.5f, -0f, float.Epsilon, float.MaxValue]);
        yield return TensorData.FromFloats(Shape.Scalar, [float.NegativeInfinity]);
        yield return TensorData.From<int>(DType.F32, [1], [0x7FC00001]);
        yield return TensorData.From<double>(DType.F64, [2], [Math.PI, 1e300]);
        yield return TensorData.From<Half>(DType.F16, [2], [(Half)0.1f, Half.NaN]);
        yield return TensorData.From<ushort>(DType.BF16, [2], [0x3F80, 0]);
        yield return new(DType.I4, [3], new byte[] { 0x8F, 0x07 });
        yield return new(DType.I4, [3], new byte[] { 0x8F, 0x17 });
        yield return new(DType.U4, [2], new byte[] { 0xF1 });
        yield return new(DType.I2, [5], new byte[] { 0xE4, 0x01 });
        yield return TensorData.From<sbyte>(DType.I8, [2], [-128, 127]);
        yield return TensorData.From<byte>(DType.U8, [2], [0, 255]);
        yield return TensorData.From<short>(DType.I16, [1], [short.MinValue]);
        yield return TensorData.From<ushort>(DType.U16, [1], [ushort.MaxValue]);
        yield return TensorData.From<int>(DType.I32, [1], [int.MinValue]);
        yield return TensorData.From<uint>(DType.U32, [1], [uint.MaxValue]);
        yield return TensorData.From<long>(DType.I64, [1], [long.MinValue]);
        yield return TensorData.From<ulong>(DType.U64, [1], [ulong.MaxValue]);
        yield return TensorData.From<byte>(DType.Bool, [2], [0, 1]);
        yield return TensorData.From<byte>(DType.Bool, [2], [0, 2]);
        yield return TensorData.From<float>(DType.C64, [1], [1, 2]);
        yield return TensorData.From<int>(DType.Resource, [1], [7]);
        yield return new(DType.String, [1], new byte[] { 1, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 65 });
        yield return TensorData.FromFloats([0, 3], []);
        yield return TensorData.FromInts([40], [.. Enumerable.Range(0, 40)]);
    }

    private static Module RandomModule(Random random)
    {
        string[] names = ["", "x", "y", "x y", "a/b", "1", "%", "q\"", "#2"];
        string Name() => names[random.Next(names.Length)];
        QuantParams? Quant(int rank) => random.Next(4) switch
        {
            0 => new(random.NextSingle(), random.Next(-128, 128)),
            1 when rank > 0 => new([random.NextSingle(), random.NextSingle() * 1e-20f], [0, 3], random.Next(rank)),
            _ => null,
        };
        ImmutableArray<Graph>.Builder graphs = ImmutableArray.CreateBuilder<Graph>();
        for (int g = random.Next(1, 4); g > 0; g--)
        {
            GraphBuilder builder = new($"{Name()}{g}");
            List<Value> values = [];
            for (int i = random.Next(3); i >= 0; i--)
            {
                values.Add(builder.Input(Name(), new(DType.F32, [random.Next(-1, 4), 2], Quant(2))));
            }

            for (int i = random.Next(4); i > 0; i--)
            {
                values.Add(random.Next(2) == 0
                    ? GraphBuilder.Variable(Name(), new(DType.F32, [2], Quant(1)))
                    : GraphBuilder.Constant(TensorData.FromFloats([2], [random.NextSingle(), BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue))]), Name(), Quant(1)));
            }

            for (int i = random.Next(6); i > 0; i--)
            {
                Value?[] operands = [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(4) == 0 ? null : values[random.Next(values.Count)])];
                Value[] results = [.. Enumerable.Range(0, random.Next(3)).Select(_ => GraphBuilder.Result(Name(), new(DType.F32, [random.Next(-1, 3)], Quant(1))))];
                builder.Add(
                    random.Next(2) == 0 ? new OpaqueTfLite(BuiltinOperator.Custom, Name(), random.Next(9)) : new LeakyRelu(random.NextSingle()),
                    [.. operands],
                    [.. results],
                    Name());
                values.AddRange(results);
            }

            for (int i = random.Next(4); i > 0; i--)
            {
                builder.Output(values[random.Next(values.Count)]);
            }

            graphs.Add(builder.Build());
        }

        Graph main = graphs[0];
        return GraphBuilder.Module(
            graphs.ToImmutable(),
            [new(Name(), main, [.. main.Inputs.Select(v => (Name(), v))], [.. main.Outputs.Select(v => (Name(), v))])]);
    }

    private static void AssertSame(Module expected, Module actual)
    {
        Assert.Equal(expected.Description, actual.Description);
        Assert.Equal(
            expected.Metadata.Select(m => (m.Name, Convert.ToHexString(m.Content.Span))),
            actual.Metadata.Select(m => (m.Name, Convert.ToHexString(m.Content.Span))));
        Assert.Equal(expected.Graphs.Length, actual.Graphs.Length);
        foreach ((Graph a, Graph b) in expected.Graphs.Zip(actual.Graphs))
        {
            AssertSame(a, b);
        }

        Assert.Equal(expected.Signatures.Select(s => (s.Key, s.Graph.Name)), actual.Signatures.Select(s => (s.Key, s.Graph.Name)));
        foreach ((Signature a, Signature b) in expected.Signatures.Zip(actual.Signatures))
        {
            Assert.Equal(a.Inputs.Select(i => (i.Name, At(a.Graph, i.Value))), b.Inputs.Select(i => (i.Name, At(b.Graph, i.Value))));
            Assert.Equal(a.Outputs.Select(o => (o.Name, At(a.Graph, o.Value))), b.Outputs.Select(o => (o.Name, At(b.Graph, o.Value))));
        }
    }

    private static void AssertSame(Graph expected, Graph actual)
    {
        Assert.Equal(expected.Name, actual.Name);
        Assert.Equal(expected.Inputs.Select(v => At(expected, v)), actual.Inputs.Select(v => At(actual, v)));
        Assert.Equal(expected.Outputs.Select(v => At(expected, v)), actual.Outputs.Select(v => At(actual, v)));
        Assert.Equal(expected.Nodes.Count, actual.Nodes.Count);
        foreach ((Node a, Node b) in expected.Nodes.Zip(actual.Nodes))
        {
            Assert.Equal(AttributeWriter.TextOf(a.Op), AttributeWriter.TextOf(b.Op));
            Assert.Equal(a.Op.GetType(), b.Op.GetType());
            Assert.Equal(a.Name, b.Name);
            Assert.Equal(a.Inputs.Select(v => At(expected, v)), b.Inputs.Select(v => At(actual, v)));
            Assert.Equal(a.Outputs.Select(v => At(expected, v)), b.Outputs.Select(v => At(actual, v)));
        }

        foreach ((Value a, Value b) in expected.Values().Zip(actual.Values()))
        {
            Assert.Equal(a.Name, b.Name);
            Assert.Equal(a.Type, b.Type);
            Assert.Equal(a.Type.Quant?.Min.ToArray(), b.Type.Quant?.Min.ToArray());
            Assert.Equal(a.Type.Quant?.Max.ToArray(), b.Type.Quant?.Max.ToArray());
            Assert.Equal(a.IsVariable, b.IsVariable);
            Assert.Equal(a.UseCount, b.UseCount);
            Assert.Equal(a.Constant?.Bytes.ToArray(), b.Constant?.Bytes.ToArray());
            Assert.Equal(a.Constant?.ToDense().Bytes.ToArray(), b.Constant?.ToDense().Bytes.ToArray());
        }
    }

    private static int At(Graph graph, Value? value) => value is null ? -1 : graph.Values().ToList().IndexOf(value);
}
