using System.Collections.Immutable;

namespace Optc.Report.Compression;

/// <summary>Finds the same layer in the models of all stages.</summary>
/// <remarks>
/// Passes keep the names of weights, so these are looked at first, equal ones in their order; then layer and operand; and where a model has as many
/// tensors as there are layers, the position. What is still not found is a layer of its own.
/// </remarks>
internal sealed class LayerIndex
{
    private readonly List<WeightTensor> _layers = [];
    private readonly Dictionary<(string Name, int Occurrence), int> _byName = [];

    /// <summary>The first tensor that was seen of each layer.</summary>
    public IReadOnlyList<WeightTensor> Layers => _layers;

    /// <summary>The layer of each tensor.</summary>
    /// <param name="grow">Makes layers of tensors that are not found; otherwise these are -1.</param>
    public ImmutableArray<int> Place(ImmutableArray<WeightTensor> weights, bool grow)
    {
        int[] places = new int[weights.Length];
        Array.Fill(places, -1);
        HashSet<int> taken = [];
        Dictionary<string, int> next = [];
        (string Name, int Occurrence)[] keys = [.. weights.Select(w => (w.Name, next[w.Name] = next.GetValueOrDefault(w.Name, -1) + 1))];
        for (int i = 0; i < places.Length; i++)
        {
            if (_byName.TryGetValue(keys[i], out int layer))
            {
                places[i] = layer;
                taken.Add(layer);
            }
        }

        Dictionary<(string Layer, string Operand), int> byRole = [];
        for (int layer = 0; layer < _layers.Count; layer++)
        {
            byRole.TryAdd((_layers[layer].Layer, _layers[layer].Operand), layer);
        }

        int known = _layers.Count;
        for (int i = 0; i < places.Length; i++)
        {
            if (places[i] >= 0)
            {
                continue;
            }

            if (byRole.TryGetValue((weights[i].Layer, weights[i].Operand), out int layer) && taken.Add(layer))
            {
                places[i] = layer;
            }
            else if (places.Length == known && _layers[i].Shape.Equals(weights[i].Shape) && taken.Add(i))
            {
                places[i] = i;
            }
            else if (grow)
            {
                places[i] = _layers.Count;
                _layers.Add(weights[i]);
                _byName[keys[i]] = places[i];
            }
        }

        return [.. places];
    }
}
