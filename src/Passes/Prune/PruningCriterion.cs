using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>How much each number of a weight is worth: those with the smallest scores are dropped.</summary>
public abstract record PruningCriterion
{
    /// <summary><c>|w|</c>, which compares numbers of one layer.</summary>
    public static PruningCriterion Magnitude { get; } = new MagnitudeCriterion();

    /// <summary>
    /// <c>|w| / rms(channel)</c>, the magnitude in units of the root mean square of the output channel: comparable between channels and layers,
    /// whatever scale a normalization behind the layer takes out again. The numbers of a channel that is zero score 0.
    /// </summary>
    public static PruningCriterion NormalizedMagnitude { get; } = new NormalizedCriterion();

    /// <summary>
    /// <c>|dL/dw * w|</c>, to first order the change of the loss when the number is dropped. Source: Mozer and Smolensky, "Skeletonization",
    /// 1989; Lee et al., "SNIP: single-shot network pruning based on connection sensitivity", 2019.
    /// </summary>
    public static PruningCriterion GradientTimesWeight { get; } = new GradientCriterion();

    /// <summary>
    /// <c>w^2 / (H^-1)_pp</c>, what dropping a number costs when the others of its row make up for it (<see cref="OptimalBrainSurgeon"/>), relative to the
    /// square of the whole result of the layer, so that layers compare. Of weights of whose inputs nothing is known, the part of the sum of squares.
    /// </summary>
    /// <param name="inputs">What is known of the inputs of each weight, by its constant in the graph.</param>
    public static PruningCriterion SecondOrder(IReadOnlyDictionary<Value, InputCorrelation> inputs, double damping = OptimalBrainSurgeon.DefaultDamping) =>
        new SecondOrderCriterion(inputs, damping);

    /// <summary>True when weights must bring their gradients.</summary>
    public virtual bool NeedsGradients => false;

    /// <summary>One score for each number, 0 or more; the score of what is no number is <see cref="float.NaN"/>.</summary>
    /// <exception cref="DiagnosticException">The criterion wants gradients and has none, or they do not fit.</exception>
    public abstract float[] Scores(PrunableWeight weight);

    private sealed record MagnitudeCriterion : PruningCriterion
    {
        public override float[] Scores(PrunableWeight weight) => Array.ConvertAll(weight.Values.ToArray(), Math.Abs);
    }

    private sealed record NormalizedCriterion : PruningCriterion
    {
        public override float[] Scores(PrunableWeight weight)
        {
            KernelShape kernel = weight.Kernel;
            ReadOnlySpan<float> values = weight.Values.Span;
            double[] squares = new double[kernel.Outputs];
            for (int i = 0; i < values.Length; i++)
            {
                squares[kernel.OutputOf(i)] += (double)values[i] * values[i];
            }

            double[] rms = Array.ConvertAll(squares, s => Math.Sqrt(s * kernel.Outputs / kernel.Count));
            float[] scores = new float[values.Length];
            for (int i = 0; i < scores.Length; i++)
            {
                double scale = rms[kernel.OutputOf(i)];
                scores[i] = scale > 0 ? (float)(Math.Abs(values[i]) / scale) : Math.Abs(values[i]);
            }

            return scores;
        }
    }

    private sealed record GradientCriterion : PruningCriterion
    {
        public override bool NeedsGradients => true;

        public override float[] Scores(PrunableWeight weight)
        {
            ReadOnlySpan<float> values = weight.Values.Span;
            ReadOnlySpan<float> gradients = weight.Gradients.Span;
            if (gradients.Length != values.Length)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"'{weight.Name}' cannot be pruned by gradient times weight")
                {
                    Found = $"{gradients.Length} gradients for {values.Length} weights",
                    Expected = "one gradient for each weight",
                    Hint = "gradients are there while a model trains: prune in a fine-tuning",
                });
            }

            float[] scores = new float[values.Length];
            for (int i = 0; i < scores.Length; i++)
            {
                scores[i] = (float)Math.Abs((double)values[i] * gradients[i]);
            }

            return scores;
        }
    }

    private sealed record SecondOrderCriterion(IReadOnlyDictionary<Value, InputCorrelation> Inputs, double Damping) : PruningCriterion
    {
        public override float[] Scores(PrunableWeight weight)
        {
            if (weight.Source is not { } source || !Inputs.TryGetValue(source, out InputCorrelation? inputs))
            {
                double square = weight.Values.ToArray().Sum(w => (double)w * w);
                return Array.ConvertAll(weight.Values.ToArray(), w => square > 0 ? (float)(w * w / square) : 0);
            }

            double whole = OptimalBrainSurgeon.Error(weight, new float[weight.Values.Length], inputs, Damping);
            return Array.ConvertAll(OptimalBrainSurgeon.Saliencies(weight, inputs, Damping), s => whole > 0 ? (float)(s / whole) : 0);
        }
    }
}
