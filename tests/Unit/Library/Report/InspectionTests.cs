using System.Text.Json;
using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Report;
using Optc.Runtime;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Optc.Tests.Unit.Passes.Quantize;
using Xunit;

namespace Optc.Tests.Unit.Library.Report;

/// <summary>What an inspection says of models whose facts are known.</summary>
public sealed class InspectionTests
{
    private const string Golden = "golden/reports/inspection";

    public static TheoryData<string> Models => [.. ModelFiles.Names().Where(n => Path.GetDirectoryName(n)!.Split(Path.DirectorySeparatorChar)[0] == "models")];

    [SharedTheory]
    [MemberData(nameof(Models))]
    public void Bytes_add_up_and_weights_have_theirs(string name)
    {
        byte[] file = ModelFiles.Load(name);

        Module module = FrontendSet.Read(file, name);

        Inspection inspection = Inspection.Of(module, file);

        Assert.Equal(file.Length, inspection.Size.Bytes);
        Assert.Equal(file.Length, inspection.Size.Uses.Sum(u => u.Bytes));
        Assert.Equal(100, inspection.Size.Uses.Sum(u => u.Percent), 9);
        Assert.Equal(inspection.Weights.Where(w => !w.Shared).Sum(w => w.Bytes), BytesOf(inspection, "weights"));
        Assert.Equal(BytesOf(inspection, "weights"), inspection.Sizes.WeightBytes);
        Assert.Equal(file.Length, inspection.Sizes.FileBytes);
        Assert.All(inspection.Sizes.Coded, c => Assert.Equal(inspection.Weights.Where(w => !w.Shared && !w.Coded.IsEmpty).Sum(w => w.Elements), c.Weights));
        Assert.All(
            inspection.Sizes.Coded.Where(c => c.Coder != "gzip"),
            c => Assert.Equal(c.Bits, inspection.Weights.Where(w => !w.Shared).SelectMany(w => w.Coded).Where(w => w.Coder == c.Coder).Sum(w => w.Bits)));
        Assert.Equal(CanRun(module), inspection.Operators.All(o => o.Executable));
        Assert.True(inspection.Memory.PeakActivations <= inspection.Memory.ArenaActivations);
        Assert.NotEmpty(inspection.ToString());
    }

    [SharedTheory]
    [InlineData("kws_ref_model")]
    [InlineData("hello_world_int8")]
    [InlineData("hello_world_float")]
    public void Savings_are_those_of_shrinking(string name)
    {
        string folder = Path.Combine("models", name) + Path.DirectorySeparatorChar;
        byte[] file = ModelFiles.Load(ModelFiles.Names().Single(n => n.StartsWith(folder, StringComparison.Ordinal)));
        Model model = Model.Read(file, name);

        ShrinkSavings savings = model.Savings();

        Assert.Equal(file.Length, savings.ContainerBytes + savings.GraphBytes + savings.FileBytes);
        Assert.Equal(file.Length - savings.ContainerBytes, model.ToTfLite(new(TfLiteNames.Interface)).Length);
        Assert.True(savings.ContainerBytes > 0 && savings.GraphBytes >= 0);
        Assert.True(name.EndsWith("float", StringComparison.Ordinal) || savings.FileBytes == model.Shrink().File.Length);
        Assert.Contains("channels and operators", (model.Inspect() with { Savings = savings }).ToString(), StringComparison.Ordinal);
    }

    [SharedFact]
    public void Work_and_parameters_of_a_known_model_are_those_of_its_layers()
    {
        string name = Path.Combine("models", "kws_ref_model", "kws_ref_model.tflite");
        byte[] file = ModelFiles.Load(name);

        Inspection inspection = Inspection.Of(FrontendSet.Read(file, name), file);

        // DS-CNN: a 10x4 convolution on 25x5 places, four blocks of 3x3 depthwise and 1x1 convolution, a dense layer of 12.
        const int places = 25 * 5;
        Assert.Equal((places * 64 * 40) + (4 * ((places * 64 * 9) + (places * 64 * 64))) + (64 * 12), inspection.Macs);
        Assert.Equal((64 * 40) + 64 + (4 * ((64 * 9) + 64 + (64 * 64) + 64)) + (64 * 12) + 12, inspection.Parameters);
    }

    [Fact]
    public void Roles_follow_the_operands()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4, 4, 2);
        Value y = model.Conv("conv", x, seed: 1, inputs: 2, outputs: 3);
        y = model.Add("scaled", new Mul(), y, FloatModel.Random("factor", 5, 3));
        Module module = model.Output(y).Build();

        Inspection inspection = Inspection.Of(module);

        Assert.Equal(3 * 3 * 3 * 2 * sizeof(float), BytesOf(inspection, "weights"));
        Assert.Equal(3 * sizeof(float), BytesOf(inspection, "biases"));
        Assert.Equal(3 * sizeof(float), BytesOf(inspection, "other constants"));
        Assert.Equal(57, inspection.Parameters);
        Assert.Equal(4 * 4 * 3 * 3 * 3 * 2, inspection.Macs);
        WeightEntry weights = Assert.Single(inspection.Weights);
        Assert.Equal(("conv/w", "conv", "conv_2d", "w", "f32", 54L), (weights.Name, weights.Layer, weights.Op, weights.Operand, weights.Type, weights.Elements));
    }

    [Fact]
    public void Weights_behind_a_conversion_are_weights()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4);
        Value half = GraphBuilder.Constant(TensorData.From<Half>(DType.F16, [3, 4], [.. FloatModel.Numbers(1, 12).Select(v => (Half)v)]), "half");
        Value w = model.AddTyped("w", new Dequantize(), half, new(DType.F32, [3, 4]));
        Module module = model.Output(model.Add("dense", new FullyConnected(), x, w, null)).Build();

        Inspection inspection = Inspection.Of(module);

        WeightEntry entry = Assert.Single(inspection.Weights);
        Assert.Equal(("half", "dense", "w", "f16", 24L), (entry.Name, entry.Layer, entry.Operand, entry.Type, entry.Bytes));
        Assert.Equal(24, BytesOf(inspection, "weights"));
    }

    [Fact]
    public void Shared_content_counts_once()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 4);
        Value y = model.Dense("first", x, seed: 1, inputs: 4, outputs: 4);
        y = model.Dense("second", y, seed: 1, inputs: 4, outputs: 4);
        Module module = model.Output(y).Build();

        Inspection inspection = Inspection.Of(module);

        Assert.Equal([false, true], inspection.Weights.Select(w => w.Shared));
        Assert.Equal(16 * sizeof(float), BytesOf(inspection, "weights"));
        Assert.Equal(20, inspection.Parameters);
    }

    [Fact]
    public void Refuses_the_file_of_another_model()
    {
        byte[] other = TfLiteBackend.ToArray(Small());
        FloatModel model = new();
        Module module = model.Output(model.Add("y", new Relu(), model.Input("x", 1, 4))).Build();

        Assert.Throws<ArgumentException>(() => Inspection.Of(module, other));
    }

    [Fact]
    public void Peak_is_where_most_is_alive()
    {
        FloatModel model = new();
        Value x = model.Input("x", 1, 8);
        Value kept = model.Add("kept", new Relu(), x);
        Value wide = model.Dense("wide", kept, seed: 1, inputs: 8, outputs: 32);
        Value narrow = model.Dense("narrow", wide, seed: 2, inputs: 32, outputs: 8);
        Module module = model.Output(model.Add("sum", new Add(), narrow, kept)).Build();

        MemoryNeed memory = Inspection.Of(module).Memory;

        // During 'narrow': 'wide', which it reads, what it makes, and 'kept' for later.
        Assert.Equal(((32 + 8 + 8) * sizeof(float), "narrow"), (memory.PeakActivations, memory.PeakLayer));
    }

    [Fact]
    public void Text_and_json_are_the_golden_ones()
    {
        Inspection inspection = Inspection.Of(Small());

        GoldenFile.At($"{Golden}.txt").ShouldMatch(inspection.ToString());
        GoldenFile.At($"{Golden}.json").ShouldMatch(ReportJson.Of(inspection) + "\n");
    }

    [Fact]
    public void Columns_of_the_text_are_keys_of_the_json()
    {
        Inspection inspection = Inspection.Of(Small());
        using JsonDocument json = JsonDocument.Parse(ReportJson.Of(inspection));

        foreach (string list in (string[])["graphs", "operators", "weights"])
        {
            HashSet<string> keys = [.. json.RootElement.GetProperty(list)[0].EnumerateObject().Select(p => p.Name)];
            ReportTable table = InspectionText.Of(inspection, all: true).Tables.Single(t => t.Name == list);
            Assert.Empty(table.Columns.Select(c => c.Name).Except(keys));
        }
    }

    [Fact]
    public void Long_lists_are_cut_unless_all_is_asked_for()
    {
        FloatModel model = new();
        Value y = model.Input("x", 1, 4);
        for (int i = 0; i < 25; i++)
        {
            y = model.Dense($"layer{i}", y, seed: i, inputs: 4, outputs: 4);
        }

        Inspection inspection = Inspection.Of(model.Output(y).Build());

        Assert.Contains("... 5 more, --all shows them", InspectionText.Of(inspection).ToString(), StringComparison.Ordinal);
        Assert.Equal(25, InspectionText.Of(inspection, all: true).Tables.Single(t => t.Name == "weights").Rows.Length);
    }

    [Fact]
    public void Damaged_models_are_refused_or_inspected()
    {
        byte[] file = TfLiteBackend.ToArray(Small());
        int inspected = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            byte[] damaged = [.. file];
            Random random = new(seed);
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                Inspection inspection = Inspection.Of(FrontendSet.Read(damaged, "damaged"), damaged);
                Assert.Equal(file.Length, inspection.Size.Uses.Sum(u => u.Bytes));
                Assert.NotEmpty(InspectionText.Of(inspection).ToString());
                Assert.NotEmpty(ReportJson.Of(inspection));
                inspected++;
            }
            catch (DiagnosticException)
            {
                continue;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }

        Assert.InRange(inspected, 300, 2700);
    }

    private static bool CanRun(Module module)
    {
        try
        {
            using Interpreter interpreter = new(module);
            return true;
        }
        catch (DiagnosticException)
        {
            return false;
        }
    }

    private static long BytesOf(Inspection inspection, string use) => inspection.Size.Uses.Single(u => u.Use == use).Bytes;

    /// <summary>An int8 model of three layers, made without running anything.</summary>
    private static Module Small()
    {
        GraphBuilder builder = new("main");
        QuantParams grid = new(0.5f, -3);
        Value image = builder.Input("image", new(DType.I8, [-1, 4, 4, 2], grid));
        Value w = Codes("conv/w", [4, 3, 3, 2], i => i % 4 < 2 ? i % 7 : 0, new QuantParams([0.25f, 0.5f, 1, 2], [0]));
        Value bias = GraphBuilder.Constant(TensorData.FromInts([4], [1, 2, 3, 4]), "conv/b", new QuantParams([0.125f, 0.25f, 0.5f, 1], [0]));
        Value y = builder.Add(new Conv2D(1, 1, PaddingMode.Same, FusedActivation.Relu), [image, w, bias], "conv", grid).Output;
        y = builder.Add(new Reshape([-1, 64]), [y, FloatModel.Ints("shape", -1, 64)], "flat", grid).Output;
        Value dense = Codes("dense/w", [3, 64], i => (i * 37 % 256) - 128, new QuantParams(0.0625f, 0));
        y = builder.Add(new FullyConnected(), [y, dense, null], "dense", grid).Output;
        builder.Output(y);
        Graph graph = builder.Build();
        return GraphBuilder.Module([graph], [new("serve", graph, [("x", image)], [("scores", y)])], [("note", new byte[] { 1, 2, 3 })], "small");
    }

    private static Value Codes(string name, Shape shape, Func<int, int> code, QuantParams grid) => GraphBuilder.Constant(
        TensorData.From<sbyte>(DType.I8, shape, [.. Enumerable.Range(0, (int)shape.ElementCount).Select(i => (sbyte)code(i))]), name, grid);
}
