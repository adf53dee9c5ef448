using Optc.Ir;
using Optc.Ops.Gradients;

namespace Optc.Ops;

public sealed partial record Conv2D : IDifferentiable
{
    /// <summary>The two adjoints of the product, and <c>dbias = sum of dz over pixels</c>.</summary>
    public void Differentiate(GradientBuilder g)
    {
        (TensorType x, TensorType w) = (g.Input(0).Type, g.Input(1).Type);
        SpatialRules.RequireFloatWeights(w);
        Value dz = g.BeforeActivation(Activation, g.Gradient());
        if (g.Wants(0))
        {
            g.Give(0, g.Add(
                new Conv2DInputGradient(x.Shape[1], x.Shape[2], x.Shape[3], StrideH, StrideW, Padding, DilationH, DilationW), dz, g.Input(1)));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.Add(
                new Conv2DWeightGradient(w.Shape[1], w.Shape[2], StrideH, StrideW, Padding, DilationH, DilationW, x.Shape[3] / w.Shape[3]),
                g.Input(0),
                dz));
        }

        if (g.Wants(2))
        {
            g.Give(2, g.Reshape(g.SumTo(dz, [w.Shape[0]]), g.Input(2).Type.Shape));
        }
    }
}
