using System.Numerics;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;

namespace Optc.Ops;

public sealed partial record Svdf
{
    /// <typeparam name="T">Type of time weights and state.</typeparam>
    /// <remarks>
    /// The newest state is limited to the type before its zero point is added, and then wraps: as the reference, which
    /// expects a zero point of 0. Sums over time and rank are 32 bits, wrapping.
    /// </remarks>
    private Kernel PrepareInteger<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        (TensorType x, TensorType y) = (context.Input(X), context.Output(0));
        float xScale = ScaleRatio.PerTensor(x, "the input");
        float yScale = ScaleRatio.PerTensor(y, "the output");
        float featureScale = ScaleRatio.Symmetric(context.Input(FeatureWeights), "the feature weights");
        float timeScale = ScaleRatio.Symmetric(context.Input(TimeWeights), "the time weights");
        float stateScale = ScaleRatio.PerTensor(context.Input(State), "the state");
        float biasScale = stateScale * timeScale;
        if (context.Has(Bias) && !(MathF.Abs(ScaleRatio.PerTensor(context.Input(Bias), "the bias") - biasScale) < 1e-5f))
        {
            throw new OpRuleException("the scale of the bias is not that of the state times that of the time weights")
            {
                Found = $"{context.Input(Bias).Scale:R}",
                Expected = $"{biasScale:R}",
            };
        }

        FixedPoint toState = ScaleRatio.Of(xScale * featureScale / stateScale, "the feature filter");
        FixedPoint toOutput = ScaleRatio.Of(biasScale / yScale, "the time filter");
        int xZero = x.ZeroPoint;
        int yZero = y.ZeroPoint;
        int stateZero = context.Input(State).ZeroPoint;
        int batch = x.Shape[0];
        int inputs = x.Shape[1];
        int filters = context.Input(FeatureWeights).Shape[0];
        int memory = context.Input(TimeWeights).Shape[1];
        int units = filters / Rank;
        ActivationRange range = typeof(T) == typeof(short) ? ActivationRange.Int16 : ActivationRange.Int8;
        RowSums featureSums = new(context, FeatureWeights, filters, inputs);
        return () =>
        {
            ReadOnlySpan<sbyte> features = context.In<sbyte>(FeatureWeights);
            ReadOnlySpan<T> weights = context.In<T>(TimeWeights);
            ReadOnlySpan<int> bias = context.Has(Bias) ? context.In<int>(Bias) : default;
            ReadOnlySpan<int> sums = featureSums.Current();
            Span<T> state = context.State<T>(State);
            if (!state.IsEmpty)
            {
                state[1..].CopyTo(state);
            }

            Span<sbyte> results = context.Out<sbyte>(0);
            for (int b = 0; b < batch; b++)
            {
                ReadOnlySpan<sbyte> row = context.In<sbyte>(X).Slice(b * inputs, inputs);
                Span<T> states = state.Slice(b * filters * memory, filters * memory);
                for (int f = 0; f < filters; f++)
                {
                    int sum = unchecked(IntegerDot.Sum(features.Slice(f * inputs, inputs), row) - (xZero * sums[f]));
                    states[(f * memory) + memory - 1] = T.CreateTruncating(range.Clamp(toState.Scale(sum)) + stateZero);
                }

                for (int u = 0; u < units; u++)
                {
                    int start = u * Rank * memory;
                    int sum = Weigh(weights.Slice(start, Rank * memory), states.Slice(start, Rank * memory), stateZero);
                    sum = unchecked(sum + (bias.IsEmpty ? 0 : bias[u]));
                    results[(b * units) + u] = FixedPoint.SaturateToInt8(unchecked(toOutput.Scale(sum) + yZero));
                }
            }
        };
    }

    private static int Weigh<T>(ReadOnlySpan<T> weights, ReadOnlySpan<T> state, int stateZero)
        where T : unmanaged, IBinaryInteger<T>
    {
        int sum = 0;
        for (int m = 0; m < weights.Length; m++)
        {
            sum = unchecked(sum + (int.CreateTruncating(weights[m]) * (int.CreateTruncating(state[m]) - stateZero)));
        }

        return sum;
    }
}
