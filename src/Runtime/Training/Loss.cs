using System.Globalization;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;

namespace Optc.Runtime.Training;

/// <summary>What training makes small, as a graph.</summary>
public abstract record Loss
{
    /// <summary>Softmax cross-entropy against class numbers.</summary>
    public static Loss SparseCrossEntropy { get; } = new SparseCrossEntropyLoss(0);

    /// <summary>Softmax cross-entropy against a distribution over the classes.</summary>
    public static Loss CrossEntropy { get; } = new CrossEntropyLoss(0);

    /// <summary>Cross-entropy of independent yes/no scores against numbers from 0 to 1, mean over the scores of a sample.</summary>
    public static Loss BinaryCrossEntropy { get; } = new BinaryCrossEntropyLoss();

    /// <summary>Mean over the elements of a sample of the squared difference.</summary>
    public static Loss MeanSquaredError { get; } = new SquaredErrorLoss();

    /// <summary>Mean over the elements of a sample of the absolute difference.</summary>
    public static Loss MeanAbsoluteError { get; } = new AbsoluteErrorLoss();

    /// <summary>Squared near zero, absolute beyond <paramref name="delta"/>; mean over the elements of a sample (Huber 1964).</summary>
    public static Loss Huber(float delta = 1) => new HuberLoss(delta);

    /// <summary>Softmax cross-entropy against class numbers, of which a share goes to all classes alike (Szegedy et al. 2016).</summary>
    /// <param name="smoothing">The share, 0 to below 1.</param>
    public static Loss Smoothed(float smoothing) => new SparseCrossEntropyLoss(smoothing);

    /// <summary>What <see cref="Parse"/> takes, for messages and help.</summary>
    public const string Forms = "cross-entropy, smoothed:PART, binary-cross-entropy, mse, mae or huber[:DELTA]";

    /// <summary>The loss that a text such as <c>cross-entropy</c>, <c>smoothed:0.1</c>, <c>mse</c> means.</summary>
    /// <exception cref="DiagnosticException">No such loss, or a number that is not allowed.</exception>
    public static Loss Parse(string text)
    {
        string[] parts = text.Split(':');
        float[] numbers = [.. parts.Skip(1).Select(p => float.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out float n) ? n : float.NaN)];
        return (parts[0], numbers) switch
        {
            ("cross-entropy", []) => SparseCrossEntropy,
            ("smoothed", [>= 0 and < 1 and var part]) => Smoothed(part),
            ("binary-cross-entropy", []) => BinaryCrossEntropy,
            ("mse", []) => MeanSquaredError,
            ("mae", []) => MeanAbsoluteError,
            ("huber", []) => Huber(),
            ("huber", [> 0 and < float.PositiveInfinity and var delta]) => Huber(delta),
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such loss")
            {
                Found = $"'{text}'",
                Expected = Forms,
            }),
        };
    }

    /// <summary>True when a final SOFTMAX of the model belongs to the loss and is left out of the graph.</summary>
    public virtual bool TakesLogitsOfSoftmax => false;

    /// <summary>True when a final LOGISTIC of the model belongs to the loss and is left out of the graph.</summary>
    public virtual bool TakesLogitsOfLogistic => false;

    /// <summary>True when targets are class numbers.</summary>
    public virtual bool TakesClasses => false;

    /// <summary>The same loss against distributions over classes in place of class numbers, as mixed samples have them.</summary>
    public virtual Loss OnDistributions() => this;

    /// <summary>Type of the targets of a batch, from that of the output.</summary>
    /// <param name="output">f32 [N, ...].</param>
    /// <exception cref="OpRuleException">The loss does not fit this output.</exception>
    public virtual TensorType TargetType(TensorType output) => new(DType.F32, output.Shape);

    /// <summary>Adds the loss of each sample.</summary>
    /// <param name="output">f32 [N, ...].</param>
    /// <param name="target">As <see cref="TargetType"/> says.</param>
    /// <returns>f32 [N].</returns>
    public abstract Value Build(Expressions e, Value output, Value target);

    private protected static Shape Rows(TensorType output) => output.Shape.Rank >= 2
        ? [output.Shape[0], checked((int)(output.ElementCount / output.Shape[0]))]
        : throw new OpRuleException("a loss over classes needs scores [samples, classes]") { Found = output.Shape.ToString() };

    private protected static Value MeanPerSample(Expressions e, Value a) =>
        e.Multiply(e.SumPerSample(a), (float)(a.Type.Shape[0] / (double)a.Type.ElementCount));

    private sealed record SparseCrossEntropyLoss(float Smoothing) : Loss
    {
        public override bool TakesLogitsOfSoftmax => true;

        public override bool TakesClasses => true;

        public override Loss OnDistributions() => new CrossEntropyLoss(Smoothing);

        public override TensorType TargetType(TensorType output) => new(DType.I32, [Rows(output)[0]]);

        public override Value Build(Expressions e, Value output, Value target)
        {
            Value oneHot = e.Add(
                new OneHot(-1),
                target,
                GraphBuilder.Constant(TensorData.Scalar(Rows(output.Type)[1]), ""),
                e.Scalar(1),
                e.Scalar(0));
            return new CrossEntropyLoss(Smoothing).Build(e, output, oneHot);
        }
    }

    private sealed record CrossEntropyLoss(float Smoothing) : Loss
    {
        public override bool TakesLogitsOfSoftmax => true;

        public override TensorType TargetType(TensorType output) => new(DType.F32, Rows(output));

        public override Value Build(Expressions e, Value output, Value target)
        {
            Shape rows = Rows(output.Type);
            Value wanted = Smoothing == 0 ? target : e.Plus(e.Multiply(target, 1 - Smoothing), e.Scalar(Smoothing / rows[1]));
            Value logarithms = e.Add(new LogSoftmax(), e.Reshape(output, rows));
            return e.Multiply(e.SumPerSample(e.Multiply(wanted, logarithms)), -1);
        }
    }

    private sealed record BinaryCrossEntropyLoss : Loss
    {
        public override bool TakesLogitsOfLogistic => true;

        /// <summary><c>max(x, 0) - x t + log(1 + exp(-|x|))</c>, which no x overflows.</summary>
        public override Value Build(Expressions e, Value output, Value target)
        {
            Value tail = e.Add(new Log(), e.Plus(e.Add(new Exp(), e.Multiply(e.Add(new Abs(), output), -1)), e.Scalar(1)));
            return MeanPerSample(e, e.Plus(e.Minus(e.Add(new Relu(), output), e.Multiply(output, target)), tail));
        }
    }

    private sealed record SquaredErrorLoss : Loss
    {
        public override Value Build(Expressions e, Value output, Value target) => MeanPerSample(e, e.Square(e.Minus(output, target)));
    }

    private sealed record AbsoluteErrorLoss : Loss
    {
        public override Value Build(Expressions e, Value output, Value target) => MeanPerSample(e, e.Add(new Abs(), e.Minus(output, target)));
    }

    private sealed record HuberLoss(float Delta) : Loss
    {
        /// <summary>With <c>c = min(|d|, delta)</c>: <c>c (|d| - c / 2)</c>, which is both branches at once.</summary>
        public override Value Build(Expressions e, Value output, Value target)
        {
            Value distance = e.Add(new Abs(), e.Minus(output, target));
            Value near = e.Add(new Minimum(), distance, e.Scalar(Delta));
            return MeanPerSample(e, e.Multiply(near, e.Minus(distance, e.Multiply(near, 0.5f))));
        }
    }
}
