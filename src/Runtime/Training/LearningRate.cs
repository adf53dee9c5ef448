using System.Globalization;
using Optc.Ir;

namespace Optc.Runtime.Training;

/// <summary>The learning rate over a run.</summary>
/// <param name="Peak">The largest rate.</param>
public abstract record LearningRate(double Peak)
{
    public static LearningRate Constant(double rate) => new ConstantRate(rate);

    /// <summary>Falls to <paramref name="factor"/> of itself after every <paramref name="every"/> steps.</summary>
    public static LearningRate Steps(double rate, int every, double factor = 0.1) => new StepRate(rate, every, factor);

    /// <summary>Falls to <paramref name="factor"/> of itself over the whole run, by the same factor each step.</summary>
    public static LearningRate Exponential(double rate, double factor = 0.01) => new ExponentialRate(rate, factor);

    /// <summary>Rises linearly over the first part of the run, then falls along half a cosine (Loshchilov and Hutter 2017).</summary>
    /// <param name="warmUp">Part of the run, 0 to 1.</param>
    /// <param name="final">Rate at the end, as part of the peak.</param>
    public static LearningRate Cosine(double rate, double warmUp = 0, double final = 0) => new CosineRate(rate, warmUp, final);

    /// <summary>Rises from 1/25 of the peak along half a cosine over 30 % of the run, then falls to 1/250000 of it (Smith and Topin 2018).</summary>
    public static LearningRate OneCycle(double rate) => new OneCycleRate(rate);

    /// <summary>The rate of one step.</summary>
    /// <param name="step">From 0 up to but without <paramref name="steps"/>.</param>
    /// <param name="steps">Steps of the whole run.</param>
    public abstract double At(long step, long steps);

    /// <summary>The schedule that a text such as <c>0.1</c>, <c>cosine:0.1</c>, <c>cosine:0.1:0.05</c>, <c>step:0.1:1000:0.5</c> means.</summary>
    /// <exception cref="DiagnosticException">No such schedule, or a number that is not allowed.</exception>
    public static LearningRate Parse(string text)
    {
        string[] parts = text.Split(':');
        bool named = parts.Length > 1 || !double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out _);
        double[] numbers = [.. parts.Skip(named ? 1 : 0).Select(p => double.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out double n) ? n : double.NaN)];
        return (named ? parts[0] : "constant", numbers) switch
        {
            (_, []) or (_, [not (> 0 and < double.PositiveInfinity), ..]) => throw Refused(text),
            ("constant", [var rate]) => Constant(rate),
            ("step", [var rate, >= 1 and < int.MaxValue and var every]) => Steps(rate, (int)every),
            ("step", [var rate, >= 1 and < int.MaxValue and var every, > 0 and <= 1 and var factor]) => Steps(rate, (int)every, factor),
            ("exponential", [var rate]) => Exponential(rate),
            ("exponential", [var rate, > 0 and <= 1 and var factor]) => Exponential(rate, factor),
            ("cosine", [var rate]) => Cosine(rate),
            ("cosine", [var rate, >= 0 and < 1 and var warmUp]) => Cosine(rate, warmUp),
            ("cosine", [var rate, >= 0 and < 1 and var warmUp, >= 0 and <= 1 and var final]) => Cosine(rate, warmUp, final),
            ("one-cycle", [var rate]) => OneCycle(rate),
            _ => throw Refused(text),
        };
    }

    private static DiagnosticException Refused(string text) => new(new Diagnostic(DiagnosticId.InvalidOption, "there is no such learning rate")
    {
        Found = $"'{text}'",
        Expected = "RATE, step:RATE:EVERY[:FACTOR], exponential:RATE[:FACTOR], cosine:RATE[:WARM-UP[:FINAL]] or one-cycle:RATE",
    });

    /// <summary>From <paramref name="from"/> to <paramref name="to"/> along half a cosine.</summary>
    private static double HalfCosine(double from, double to, double part) => to + ((from - to) * (1 + Math.Cos(Math.PI * part)) / 2);

    private sealed record ConstantRate(double Peak) : LearningRate(Peak)
    {
        public override double At(long step, long steps) => Peak;
    }

    private sealed record StepRate(double Peak, int Every, double Factor) : LearningRate(Peak)
    {
        public override double At(long step, long steps) => Peak * Math.Pow(Factor, step / Every);
    }

    private sealed record ExponentialRate(double Peak, double Factor) : LearningRate(Peak)
    {
        public override double At(long step, long steps) => Peak * Math.Pow(Factor, (double)step / steps);
    }

    private sealed record CosineRate(double Peak, double WarmUp, double Final) : LearningRate(Peak)
    {
        public override double At(long step, long steps)
        {
            double rising = WarmUp * steps;
            return step < rising
                ? Peak * (step + 1) / (rising + 1)
                : HalfCosine(Peak, Peak * Final, (step - rising) / Math.Max(1, steps - rising));
        }
    }

    private sealed record OneCycleRate(double Peak) : LearningRate(Peak)
    {
        public override double At(long step, long steps)
        {
            const double rise = 0.3;
            double part = steps <= 1 ? 0 : (double)step / (steps - 1);
            return part < rise ? HalfCosine(Peak / 25, Peak, part / rise) : HalfCosine(Peak, Peak / 250000, (part - rise) / (1 - rise));
        }
    }
}
