using Optc.Structure;

namespace Optc;

public sealed partial class Model
{
    /// <summary>The model with the structures that its weights show, so that stages to come keep them: for files of other tools.</summary>
    /// <param name="discovery">From when on zeros and repeated values are taken for intended.</param>
    public Model DiscoverStructures(DiscoveryOptions? discovery = null) => With(WeightStructures.Discover(Module, discovery));
}
