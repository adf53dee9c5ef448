using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class BoundsEngine
{
    /// <summary>ADD and SUB: each operand rescaled to a common grid, the sum rescaled to that of the result.</summary>
    private Bounds? OfSum(int op)
    {
        bool isDifference = view.Kind(op) == BuiltinOperator.Sub;
        if (Binary(op) is not var (a, b, output)
            || Quantization.Of(view.Tensor(a.Tensor)) is not { } p
            || Quantization.Of(view.Tensor(b.Tensor)) is not { } q
            || Quantization.Of(view.Tensor(output)) is not { } r
            || Quantization.Clamp(view.Tensor(output), FusedActivation.Of(view.Operators[op].Options) ?? ActivationFunctionType.None) is not { } clamp)
        {
            return null;
        }

        bool isInt16 = view.Tensor(output).Type == TensorElementType.Int16;
        int shift = isInt16 ? 15 : 20;
        (FixedPoint? first, FixedPoint? second, FixedPoint? third) = isDifference ? Single() : Double();
        if (first is not { } m1 || second is not { } m2 || third is not { } mo || (isInt16 && (p.ZeroPoint != 0 || q.ZeroPoint != 0)))
        {
            return null;
        }

        Bounds result = Bounds.Empty(view.Count(output));
        for (int i = 0; i < result.Length; i++)
        {
            (int aLow, int aHigh) = (a.Bounds.Low[a.Elements[i]] - p.ZeroPoint, a.Bounds.High[a.Elements[i]] - p.ZeroPoint);
            (int bLow, int bHigh) = (b.Bounds.Low[b.Elements[i]] - q.ZeroPoint, b.Bounds.High[b.Elements[i]] - q.ZeroPoint);
            (bLow, bHigh) = isDifference ? (-bHigh, -bLow) : (bLow, bHigh);
            if (OfSum(aLow, bLow) is not { } low || OfSum(aHigh, bHigh) is not { } high)
            {
                return null;
            }

            (result.Low[i], result.High[i]) = (low.Low, high.High);
        }

        return result;

        (FixedPoint?, FixedPoint?, FixedPoint?) Double()
        {
            double twice = 2f * MathF.Max(p.Scale, q.Scale);
            return (Factor(p.Scale / twice), Factor(q.Scale / twice), Factor(twice / ((double)(1 << shift) * r.Scale)));
        }

        (FixedPoint?, FixedPoint?, FixedPoint?) Single()
        {
            float twice = 2f * MathF.Max(p.Scale, q.Scale);
            float common = (1 << shift) * r.Scale;
            return (Factor(p.Scale / twice), Factor(q.Scale / twice), Factor(twice / common));
        }

        // The smallest and the largest result over the roundings, at one pair of values.
        (int Low, int High)? OfSum(int x, int y)
        {
            (long low, long high) = (long.MaxValue, long.MinValue);
            foreach (Roundings one in (ReadOnlySpan<Roundings>)[Roundings.Double, Roundings.Single])
            {
                if ((roundings & one) == 0)
                {
                    continue;
                }

                // A difference rounds the second operand before it subtracts.
                long sign = isDifference ? -1 : 1;
                if (!m1.TryApply((long)x << shift, one, out long s) || !m2.TryApply((sign * y) << shift, one, out long t) || !mo.TryApply(s + (sign * t), one, out long sum))
                {
                    return null;
                }

                (low, high) = (Math.Min(low, sum + r.ZeroPoint), Math.Max(high, sum + r.ZeroPoint));
            }

            (low, high) = (Math.Clamp(low, clamp.Low, clamp.High), Math.Clamp(high, clamp.Low, clamp.High));
            if ((roundings & Roundings.Float32) != 0)
            {
                double real = (((double)x * p.Scale) + ((double)y * q.Scale)) / r.Scale;
                (int realLow, int realHigh) = Rounded(real, real, r.ZeroPoint, clamp);
                (low, high) = roundings == Roundings.Float32 ? (realLow, realHigh) : (Math.Min(low, realLow), Math.Max(high, realHigh));
            }

            return ((int)low, (int)high);
        }
    }

    /// <summary>MUL: the exact product, whose ends are among those of the four corners.</summary>
    private Bounds? OfProduct(int op)
    {
        if (Binary(op) is not var (a, b, output)
            || Quantization.Of(view.Tensor(a.Tensor)) is not { } p
            || Quantization.Of(view.Tensor(b.Tensor)) is not { } q
            || Quantization.Of(view.Tensor(output)) is not { } r
            || Quantization.Clamp(view.Tensor(output), FusedActivation.Of(view.Operators[op].Options) ?? ActivationFunctionType.None) is not { } clamp
            || FixedPoint.Of((double)p.Scale * q.Scale / r.Scale, p.Scale * q.Scale / r.Scale) is not { } factor)
        {
            return null;
        }

        Bounds result = Bounds.Empty(view.Count(output));
        Span<long> corners = stackalloc long[4];
        for (int i = 0; i < result.Length; i++)
        {
            (long aLow, long aHigh) = (a.Bounds.Low[a.Elements[i]] - p.ZeroPoint, a.Bounds.High[a.Elements[i]] - p.ZeroPoint);
            (long bLow, long bHigh) = (b.Bounds.Low[b.Elements[i]] - q.ZeroPoint, b.Bounds.High[b.Elements[i]] - q.ZeroPoint);
            (corners[0], corners[1], corners[2], corners[3]) = (aLow * bLow, aLow * bHigh, aHigh * bLow, aHigh * bHigh);
            corners.Sort();
            if (Requantized(factor, corners[0], corners[3], r.ZeroPoint, clamp) is not { } image)
            {
                return null;
            }

            (result.Low[i], result.High[i]) = image;
        }

        return result;
    }

    private Bounds? OfExtremum(int op)
    {
        bool isMaximum = view.Kind(op) == BuiltinOperator.Maximum;
        if (Binary(op) is not var (a, b, output) || !SameQuantization(a.Tensor, output) || !SameQuantization(b.Tensor, output))
        {
            return null;
        }

        Bounds result = Bounds.Empty(view.Count(output));
        for (int i = 0; i < result.Length; i++)
        {
            (int x, int y) = (a.Elements[i], b.Elements[i]);
            result.Low[i] = isMaximum ? Math.Max(a.Bounds.Low[x], b.Bounds.Low[y]) : Math.Min(a.Bounds.Low[x], b.Bounds.Low[y]);
            result.High[i] = isMaximum ? Math.Max(a.Bounds.High[x], b.Bounds.High[y]) : Math.Min(a.Bounds.High[x], b.Bounds.High[y]);
        }

        return result;
    }

    private Bounds? OfQuantize(int op)
    {
        (int input, int output) = (view.Operand(op, 0), view.Operators[op].Outputs[0]);
        if (this[input] is not { } bounds || output < 0
            || Quantization.Of(view.Tensor(input)) is not { } p
            || Quantization.Of(view.Tensor(output)) is not { } q
            || Quantization.Range(view.Tensor(output).Type) is not { } range
            || Factor((double)p.Scale / q.Scale) is not { } factor)
        {
            return null;
        }

        return p == q && view.Tensor(input).Type == view.Tensor(output).Type
            ? bounds
            : Rescaled(bounds, p.ZeroPoint, factor, (double)p.Scale / q.Scale, q.ZeroPoint, range);
    }

    private Bounds? OfRectifier(int op)
    {
        (int input, int output) = (view.Operand(op, 0), view.Operators[op].Outputs[0]);
        if (this[input] is not { } bounds || output < 0
            || Quantization.Of(view.Tensor(input)) is not { } p
            || Quantization.Of(view.Tensor(output)) is not { } q
            || Quantization.Range(view.Tensor(output).Type) is not { } range
            || Factor(p.Scale / q.Scale) is not { } factor)
        {
            return null;
        }

        switch (view.Kind(op))
        {
            case BuiltinOperator.Relu6:
                return p == q && Quantization.Clamp(view.Tensor(input), ActivationFunctionType.Relu6) is { } clamp
                    ? new(Array.ConvertAll(bounds.Low, e => Math.Clamp(e, clamp.Low, clamp.High)), Array.ConvertAll(bounds.High, e => Math.Clamp(e, clamp.Low, clamp.High)))
                    : null;
            case BuiltinOperator.Relu:
                return Rescaled(bounds, p.ZeroPoint, factor, p.Scale / q.Scale, q.ZeroPoint, (Math.Max(range.Low, q.ZeroPoint), range.High));
            default:
                if (view.Operators[op].Options is not LeakyReluOptions { Alpha: >= 0 and var alpha } || Factor(p.Scale * alpha / q.Scale) is not { } slope)
                {
                    return null;
                }

                Bounds negative = new(Array.ConvertAll(bounds.Low, e => Math.Min(e, p.ZeroPoint)), Array.ConvertAll(bounds.High, e => Math.Min(e, p.ZeroPoint)));
                Bounds positive = new(Array.ConvertAll(bounds.Low, e => Math.Max(e, p.ZeroPoint)), Array.ConvertAll(bounds.High, e => Math.Max(e, p.ZeroPoint)));
                return Rescaled(negative, p.ZeroPoint, slope, p.Scale * alpha / q.Scale, q.ZeroPoint, range) is { } below
                    && Rescaled(positive, p.ZeroPoint, factor, p.Scale / q.Scale, q.ZeroPoint, range) is { } above
                        ? Joined(bounds, p.ZeroPoint, below, above)
                        : null;
        }
    }

    /// <summary>A function of two pieces: the lower one below a threshold, the upper one from it on.</summary>
    private static Bounds Joined(Bounds input, int threshold, Bounds below, Bounds above)
    {
        Bounds result = Bounds.Empty(input.Length);
        for (int i = 0; i < result.Length; i++)
        {
            result.Low[i] = input.Low[i] < threshold ? below.Low[i] : above.Low[i];
            result.High[i] = input.High[i] < threshold ? below.High[i] : above.High[i];
            if (input.Low[i] < threshold && input.High[i] >= threshold)
            {
                (result.Low[i], result.High[i]) = (Math.Min(below.Low[i], above.Low[i]), Math.Max(below.High[i], above.High[i]));
            }
        }

        return result;
    }

    private Bounds? Rescaled(Bounds input, int zeroIn, FixedPoint factor, double real, int zeroOut, (int Low, int High) clamp)
    {
        Bounds result = Bounds.Empty(input.Length);
        Roundings exact = roundings & ~Roundings.Float32;
        for (int i = 0; i < result.Length; i++)
        {
            (long low, long high) = (input.Low[i] - zeroIn, input.High[i] - zeroIn);
            (int smallest, int largest) = (int.MaxValue, int.MinValue);
            if (exact != Roundings.None)
            {
                if (!factor.TryImage(low, high, exact, out long a, out long b))
                {
                    return null;
                }

                (smallest, largest) = ((int)Math.Clamp(a + zeroOut, clamp.Low, clamp.High), (int)Math.Clamp(b + zeroOut, clamp.Low, clamp.High));
            }

            if ((roundings & Roundings.Float32) != 0)
            {
                (int a, int b) = Rounded(low * real, high * real, zeroOut, clamp);
                (smallest, largest) = (Math.Min(smallest, a), Math.Max(largest, b));
            }

            (result.Low[i], result.High[i]) = (smallest, largest);
        }

        return result;
    }

    private static FixedPoint? Factor(double factor) => FixedPoint.Of(factor, (float)factor);

    private static FixedPoint? Factor(float factor) => FixedPoint.Of(factor, factor);

    private (Operand A, Operand B, int Output)? Binary(int op)
    {
        if (view.Operators[op] is not { Inputs: [>= 0 and int a, >= 0 and int b], Outputs: [>= 0 and int output] }
            || view.Tensor(a).Type != view.Tensor(output).Type || view.Tensor(b).Type != view.Tensor(output).Type
            || this[a] is not { } boundsA || this[b] is not { } boundsB
            || Positions.Broadcast(Shape(a), Shape(output)) is not { } elementsA
            || Positions.Broadcast(Shape(b), Shape(output)) is not { } elementsB)
        {
            return null;
        }

        return (new(a, boundsA, elementsA), new(b, boundsB, elementsB), output);
    }

    private sealed record Operand(int Tensor, Bounds Bounds, int[] Elements);
}
