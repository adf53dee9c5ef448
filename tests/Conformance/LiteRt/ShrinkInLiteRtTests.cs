using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Ops;
using Optc.Shrink;
using Optc.Tests.Fuzzing;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Models before and after <c>optc shrink</c>, both in LiteRT on the same inputs: equal bytes.</summary>
public sealed class ShrinkInLiteRtTests
{
    /// <summary>Of each model that is larger than the small ones; a study asks for more than the tests.</summary>
    private static readonly int Inputs = int.Parse(Environment.GetEnvironmentVariable("OPTC_LITERT_INPUTS") ?? "48", CultureInfo.InvariantCulture);

    [LiteRtFact(needsSharedFolder: true)]
    public void Third_party_models_give_the_same_bytes() => Same(
        Directory.EnumerateFiles(Path.Combine(SharedFolder.Path, "models"), "*.tflite", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(Model.Load)
            .Where(m => m.Module.Main.Nodes.All(n => n.Op is not OpaqueTfLite) && m.Inputs.All(i => i.Type.DType is DType.I8 or DType.U8)),
        Inputs,
        atLeast: 5);

    [LiteRtFact(needsSharedFolder: true)]
    public void Planted_channels_give_the_same_bytes()
    {
        Module original = Model.Load(Path.Combine(SharedFolder.Path, "models", "kws_ref_model", "kws_ref_model.tflite")).Module;
        Same(((string[])["dead", "unread", "const", "sat", "mix"]).Select(v => OfFile(PlantedModel.Make(original, v))), Inputs, atLeast: 5);
    }

    /// <summary>All inputs of models whose biases lie where rounding decides.</summary>
    [LiteRtFact]
    public void Small_models_give_the_same_for_every_input() => Same(
        Enumerable.Range(0, 16).SelectMany(s => (Model[])[OfFile(SmallModel.Dense(s, inputs: 1)), OfFile(SmallModel.Image(s, pixels: 1))]),
        inputs: 256,
        atLeast: 16,
        everyByte: true);

    private static Model OfFile(Module module) => Model.Read(Model.Of(module).ToTfLite());

    private static void Same(IEnumerable<Model> models, int inputs, int atLeast, bool everyByte = false)
    {
        List<LiteRtJob> jobs = [];
        foreach (Model model in models)
        {
            ShrinkResult result = model.Shrink();
            ImmutableArray<ImmutableArray<byte[]>> runs =
            [
                .. Enumerable.Range(0, inputs).Select(number => model.Inputs.Select(i => everyByte ? [(byte)number] : Input(number, i.Type)).ToImmutableArray()),
            ];
            jobs.Add(new(result.Original.ToArray(), runs));
            jobs.Add(new(result.File.ToArray(), runs));
        }

        ImmutableArray<LiteRtResult> results = LiteRtBatch.Run(jobs);

        int compared = 0;
        for (int i = 0; i < results.Length; i += 2)
        {
            Assert.Equal(results[i].Error, results[i + 1].Error);
            foreach ((ImmutableArray<byte[]> before, ImmutableArray<byte[]> after) in results[i].Outputs.Zip(results[i + 1].Outputs))
            {
                Assert.Equal(before.Length, after.Length);
                Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second));
            }

            compared += results[i].Error is null && results[i].Outputs.Length == inputs ? 1 : 0;
        }

        Assert.True(compared >= atLeast, $"{compared} models ran");
    }

    private static byte[] Input(int number, TensorType type)
    {
        int[] dims = [.. type.Shape.Dims.Select(d => Math.Max(d, 1))];
        return StructuredInputs.Make(number, dims, type.DType is DType.I8 ? sbyte.MinValue : byte.MinValue, type.Quant is null ? 0 : type.ZeroPoint);
    }
}
