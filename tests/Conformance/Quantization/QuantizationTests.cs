using System.Globalization;
using System.Text;
using Optc.Backends.TfLite;
using Optc.Frontend;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Tests.Conformance.Models;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Conformance.Quantization;

public sealed class QuantizationTests
{
    private const int CalibrationSamples = 500;
    private const int TestPictures = 2000;

    private static readonly Lazy<Pictures> Training = new(() => Pictures.Load("train", CalibrationSamples));

    private static (string Name, QuantizationRecipe Recipe)[] Recipes =>
    [
        .. new[]
        {
            RangeEstimator.MinMax,
            RangeEstimator.MovingAverage(),
            RangeEstimator.Percentile(),
            RangeEstimator.MeanSquaredError,
            RangeEstimator.Entropy,
        }.Select(e => ($"static-int8, {e}", QuantizationRecipe.StaticInt8 with { Estimator = e, RequireInteger = true })),
        ("static-int8, dense per channel", QuantizationRecipe.StaticInt8 with { DenseWeights = WeightGranularity.PerChannel, RequireInteger = true }),
        ("static-int8, weights per tensor", QuantizationRecipe.StaticInt8 with { Weights = WeightGranularity.PerTensor, RequireInteger = true }),
        ("static-int16x8", QuantizationRecipe.StaticInt16x8 with { RequireInteger = true }),
        ("dynamic-range", QuantizationRecipe.DynamicRange),
        ("float16", QuantizationRecipe.Float16),
    ];

    /// <summary>The table of <c>docs/results/quantization.md</c>; min-max loses at most half a point.</summary>
    [SharedFact]
    public void The_published_table_is_current()
    {
        Module original = Read("pretrainedResnet");
        Pictures test = Pictures.Load("test", TestPictures);
        double reference = test.Accuracy(original);
        StringBuilder table = new(string.Create(CultureInfo.InvariantCulture,
            $"""
            # Post-training quantization

            MLPerf Tiny's ResNet-8 (`pretrainedResnet`), calibrated with {CalibrationSamples} training pictures of the shared
            CIFAR-10 pack, scored on {TestPictures} test pictures of it. That pack holds the pictures as JPEG, so that the figures
            are below the published ones; they are to be compared with each other. Made by `./build.sh bless`, compared in CI.

            | recipe | accuracy | against float, points | bytes |
            |---|---:|---:|---:|
            | float32 | {reference * 100:0.00} % | | {TfLiteBackend.ToArray(original).Length} |

            """));
        foreach ((string name, QuantizationRecipe recipe) in Recipes)
        {
            (Module module, _) = Quantizer.Quantize(original, recipe, Training.Value.AsCalibration());
            byte[] file = TfLiteBackend.ToArray(module);
            double accuracy = test.Accuracy(FrontendSet.Read(file, name));
            table.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {accuracy * 100:0.00} % | {(accuracy - reference) * 100:+0.00;-0.00;0.00} | {file.Length} |");
            Assert.True(name != "static-int8, min-max" || accuracy >= reference - 0.005, table.ToString());
        }

        GoldenFile.At("docs/results/quantization.md").ShouldMatch(table.ToString());
    }

    [SharedTheory]
    [InlineData("min-max")]
    [InlineData("moving-average")]
    [InlineData("percentile")]
    [InlineData("mse")]
    [InlineData("entropy")]
    public void Threads_and_the_order_of_samples_leave_no_trace_in_the_bytes(string estimator)
    {
        Module original = Read("pretrainedResnet");
        Pictures few = Pictures.Load("train", 40);
        QuantizationRecipe recipe = QuantizationRecipe.StaticInt8 with { Estimator = RangeEstimator.Parse(estimator) };
        byte[] expected = Bytes(few.AsCalibration(), 1);

        Assert.Equal(expected, Bytes(few.AsCalibration(), 2));
        Assert.Equal(expected, Bytes(few.AsCalibration(Enumerable.Range(0, few.Count).Select(i => i * 17 % few.Count)), 3));

        byte[] Bytes(CalibrationData data, int threads) =>
            TfLiteBackend.ToArray(Quantizer.Quantize(original, recipe, data, new PassContext { Threads = threads }).Module);
    }

    [SharedTheory]
    [InlineData("vww_96_float", 96 * 96 * 3)]
    [InlineData("ad01_fp32", 640)]
    [InlineData("hello_world_float", 1)]
    public void The_float_models_of_the_shared_folder_become_integer_throughout(string name, int size)
    {
        Module original = Read(name);
        Random random = new(1);
        CalibrationData data = new(Enumerable.Range(0, 8).Select(i =>
        {
            float[] values = new float[size];
            for (int k = 0; k < size; k++)
            {
                values[k] = random.NextSingle();
            }

            return CalibrationSample.Of(i, TensorData.FromFloats([size], values).Reshape(original.Main.Inputs[0].Type.Shape.With(0, 1)));
        }).ToArray());

        (Module module, QuantizationReport report) = Quantizer.Quantize(original, QuantizationRecipe.StaticInt8 with { RequireInteger = true }, data);

        Assert.True(report.IsInteger);
        Assert.Equal(0, report.Conversions);
        Assert.DoesNotContain(module.Main.Values(), v => v.Type.DType is DType.F32);
    }

    private static Module Read(string name) => FrontendSet.Read(ReferenceModel.Find(name).ReadFile(), name);
}
