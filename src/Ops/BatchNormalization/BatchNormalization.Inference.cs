using Optc.Ir;

namespace Optc.Ops;

public sealed partial record BatchNormalization
{
    /// <summary>
    /// The op with given statistics, as a product and a sum that passes fold into the layer before:
    /// <c>y = x * s + (beta - mean * s)</c>, <c>s = gamma / sqrt(variance + epsilon)</c>.
    /// </summary>
    /// <param name="graph">Receives the nodes.</param>
    /// <param name="x"><c>[.., C]</c>, f32.</param>
    /// <param name="gamma"><c>[C]</c>.</param>
    /// <param name="beta"><c>[C]</c>.</param>
    /// <param name="mean"><c>[C]</c>, as a rule a moving average over the batches of training.</param>
    /// <param name="variance"><c>[C]</c>, likewise.</param>
    /// <param name="name">Name of the result; other nodes are named after it.</param>
    /// <returns><c>[.., C]</c>.</returns>
    /// <exception cref="OpRuleException">Types or shapes do not fit.</exception>
    public Value Inference(GraphBuilder graph, Value x, Value gamma, Value beta, Value mean, Value variance, string name)
    {
        Value epsilon = GraphBuilder.Constant(TensorData.Scalar(Epsilon), $"{name}/epsilon");
        Value padded = graph.Add(new Add(), [variance, epsilon], $"{name}/variance").Output;
        Value inverse = graph.Add(new Rsqrt(), [padded], $"{name}/inverse").Output;
        Value scale = graph.Add(new Mul(), [gamma, inverse], $"{name}/scale").Output;
        Value moved = graph.Add(new Mul(), [mean, scale], $"{name}/moved").Output;
        Value shift = graph.Add(new Sub(), [beta, moved], $"{name}/shift").Output;
        Value scaled = graph.Add(new Mul(), [x, scale], $"{name}/scaled").Output;
        return graph.Add(new Add(), [scaled, shift], name).Output;
    }
}
