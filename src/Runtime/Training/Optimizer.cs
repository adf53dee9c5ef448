using System.Globalization;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;

namespace Optc.Runtime.Training;

/// <summary>How a variable follows its gradient, as a graph.</summary>
/// <remarks>Formulas are those of PyTorch's optimizers of these names, so that runs can be compared step by step.</remarks>
public abstract record Optimizer
{
    /// <summary>Coupled weight decay: <c>g + decay * w</c> takes the place of the gradient g.</summary>
    public float WeightDecay { get; init; }

    /// <summary>Stochastic gradient descent: <c>v = momentum v + g, w -= rate * v</c> (Nesterov: <c>w -= rate (g + momentum v)</c>).</summary>
    public static Optimizer Sgd(float momentum = 0, bool nesterov = false) => new SgdOptimizer(momentum, nesterov);

    /// <summary>Adam (Kingma and Ba 2015).</summary>
    public static Optimizer Adam(float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f) => new AdamOptimizer(beta1, beta2, epsilon, 0);

    /// <summary>Adam with decoupled weight decay: <c>w -= rate * decay * w</c> before the step (Loshchilov and Hutter 2019).</summary>
    public static Optimizer AdamW(float decay = 0.01f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f) =>
        new AdamOptimizer(beta1, beta2, epsilon, decay);

    /// <summary>RMSprop: <c>s = rho s + (1 - rho) g^2, w -= rate * g / (sqrt(s) + epsilon)</c>, with momentum over the quotient (Hinton 2012).</summary>
    public static Optimizer RmsProp(float rho = 0.99f, float momentum = 0, float epsilon = 1e-8f) => new RmsPropOptimizer(rho, momentum, epsilon);

    /// <summary>What <see cref="Parse"/> takes, for messages and help.</summary>
    public const string Forms = "adam, adamw[:DECAY], sgd[:MOMENTUM], nesterov:MOMENTUM or rmsprop[:RHO[:MOMENTUM]]";

    /// <summary>The optimizer that a text such as <c>adam</c>, <c>sgd:0.9</c>, <c>adamw:0.01</c> means.</summary>
    /// <exception cref="DiagnosticException">No such optimizer, or a number that is not allowed.</exception>
    public static Optimizer Parse(string text)
    {
        string[] parts = text.Split(':');
        float[] numbers = [.. parts.Skip(1).Select(p => float.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out float n) ? n : float.NaN)];
        return (parts[0], numbers) switch
        {
            ("adam", []) => Adam(),
            ("adamw", []) => AdamW(),
            ("adamw", [>= 0 and < 1 and var decay]) => AdamW(decay),
            ("sgd", []) => Sgd(),
            ("sgd", [>= 0 and < 1 and var momentum]) => Sgd(momentum),
            ("nesterov", [> 0 and < 1 and var momentum]) => Sgd(momentum, nesterov: true),
            ("rmsprop", []) => RmsProp(),
            ("rmsprop", [> 0 and < 1 and var rho]) => RmsProp(rho),
            ("rmsprop", [> 0 and < 1 and var rho, >= 0 and < 1 and var momentum]) => RmsProp(rho, momentum),
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such optimizer")
            {
                Found = $"'{text}'",
                Expected = Forms,
            }),
        };
    }

    /// <summary>Adds the new value of a variable.</summary>
    /// <param name="e">Where to.</param>
    /// <param name="name">Name of the variable; slots are called <c>name/slot</c>.</param>
    /// <param name="value">Its value before the step.</param>
    /// <param name="gradient">In the shape of the variable.</param>
    /// <param name="rate">Learning rate, shape [].</param>
    /// <param name="step">Number of this step, from 1 on, shape [].</param>
    /// <param name="slots">Told of every variable that the optimizer keeps, all of which start as zeros.</param>
    internal Value Update(Expressions e, string name, Value value, Value gradient, Value rate, Value step, Action<string, Shape> slots)
    {
        Value effective = WeightDecay == 0 ? gradient : e.Plus(gradient, e.Multiply(value, WeightDecay));
        return Step(e, value, effective, rate, step, new(e, name, value.Type.Shape, slots));
    }

    private protected abstract Value Step(Expressions e, Value value, Value gradient, Value rate, Value step, Slots slots);

    /// <summary>What an optimizer keeps of one variable from step to step.</summary>
    private protected sealed class Slots(Expressions e, string name, Shape shape, Action<string, Shape> declare)
    {
        /// <summary>Handle of a slot, for an op that changes it.</summary>
        public Value Handle(string slot) => e.Handle(Declare(slot));

        /// <summary>Changes a slot.</summary>
        /// <returns>What it holds then.</returns>
        public Value Update(string slot, Func<Value, Value> next)
        {
            string variable = Declare(slot);
            Value after = next(e.Read(variable, shape));
            e.Assign(variable, after);
            return after;
        }

        private string Declare(string slot)
        {
            declare($"{name}/{slot}", shape);
            return $"{name}/{slot}";
        }
    }

    private sealed record SgdOptimizer(float Momentum, bool Nesterov) : Optimizer
    {
        private protected override Value Step(Expressions e, Value value, Value gradient, Value rate, Value step, Slots slots)
        {
            Value direction = gradient;
            if (Momentum != 0)
            {
                Value velocity = slots.Update("momentum", v => e.Plus(e.Multiply(v, Momentum), gradient));
                direction = Nesterov ? e.Plus(gradient, e.Multiply(velocity, Momentum)) : velocity;
            }

            return e.Minus(value, e.Multiply(direction, rate));
        }
    }

    private sealed record AdamOptimizer(float Beta1, float Beta2, float Epsilon, float Decay) : Optimizer
    {
        private protected override Value Step(Expressions e, Value value, Value gradient, Value rate, Value step, Slots slots)
        {
            Value start = Decay == 0 ? value : e.Minus(value, e.Multiply(value, e.Multiply(rate, Decay)));
            return e.Add(new AdamUpdate(Beta1, Beta2, Epsilon), start, gradient, rate, step, slots.Handle("mean"), slots.Handle("square"));
        }
    }

    private sealed record RmsPropOptimizer(float Rho, float Momentum, float Epsilon) : Optimizer
    {
        private protected override Value Step(Expressions e, Value value, Value gradient, Value rate, Value step, Slots slots)
        {
            Value square = slots.Update("square", s => e.Blend(Rho, s, e.Square(gradient)));
            Value direction = e.Divide(gradient, e.Plus(e.SquareRoot(square), e.Scalar(Epsilon)));
            Value taken = Momentum == 0 ? direction : slots.Update("momentum", v => e.Plus(e.Multiply(v, Momentum), direction));
            return e.Minus(value, e.Multiply(taken, rate));
        }
    }
}
