using Optc.Ir;
using Optc.Ops.Gradients;

namespace Optc.Ops;

public sealed partial record TransposeConv : IDifferentiable
{
    /// <summary>
    /// The op is the adjoint of a convolution F from y to x, so <c>dx</c> is F of the gradient, and <c>dw</c> is the weight
    /// gradient of F with the gradient as its input and x as the gradient of its output; weights are transposed between the
    /// orders <c>[O, KH, KW, C]</c> here and <c>[C, KH, KW, O]</c> of F.
    /// </summary>
    public void Differentiate(GradientBuilder g)
    {
        Value w = g.Input(1);
        Value dz = g.BeforeActivation(Activation, g.Gradient());
        Value exchange = g.Ints(3, 1, 2, 0);
        if (g.Wants(1))
        {
            Value forward = g.Add(new Conv2DWeightGradient(w.Type.Shape[1], w.Type.Shape[2], StrideH, StrideW, Padding), dz, g.Input(2));
            g.Give(1, g.Add(new Transpose(), forward, exchange));
        }

        if (g.Wants(2))
        {
            g.Give(2, g.Add(new Conv2D(StrideH, StrideW, Padding), dz, g.Add(new Transpose(), w, exchange)));
        }

        if (g.Wants(3))
        {
            g.Give(3, g.Reshape(g.SumTo(dz, [w.Type.Shape[0]]), g.Input(3).Type.Shape));
        }
    }
}
