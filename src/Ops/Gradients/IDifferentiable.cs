namespace Optc.Ops.Gradients;

/// <summary>An op whose adjoint can be built as a graph.</summary>
public interface IDifferentiable
{
    /// <summary>
    /// Adds the nodes that compute, from the gradient of a loss with regard to the results, the gradient with regard to
    /// those operands that are wanted, and gives each of them to <see cref="GradientBuilder.Give"/>.
    /// </summary>
    /// <remarks>An operand that is wanted but not given has gradient zero everywhere.</remarks>
    /// <param name="g">The node, the gradients of its results, and what to build with. Shapes are fully known.</param>
    /// <exception cref="Ir.OpRuleException">There is no gradient for these attributes or types.</exception>
    void Differentiate(GradientBuilder g);
}
