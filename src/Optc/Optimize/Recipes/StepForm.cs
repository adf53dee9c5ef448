using System.Collections.Immutable;
using System.Text.Json;
using YamlDotNet.RepresentationModel;

namespace Optc.Optimize.Recipes;

/// <summary>How a kind of step is written: its name and its keys. Reader, writer and schema are made of these.</summary>
/// <param name="name">As recipes call it.</param>
/// <param name="summary">One sentence.</param>
internal abstract class StepForm(string name, string summary)
{
    public string Name => name;

    public string Summary => summary;

    public abstract Type StepType { get; }

    /// <summary>The step without any key.</summary>
    public abstract OptimizationStep Start { get; }

    /// <summary>The first one may be written as the value of the step: <c>prune: 0.5</c>.</summary>
    public abstract ImmutableArray<RecipeKey> Keys { get; }
}

/// <inheritdoc cref="StepForm"/>
internal sealed class StepForm<TStep>(string name, string summary, params RecipeKey[] keys) : StepForm(name, summary)
    where TStep : OptimizationStep, new()
{
    public override Type StepType => typeof(TStep);

    public override OptimizationStep Start => new TStep();

    public override ImmutableArray<RecipeKey> Keys { get; } = [.. keys];
}

/// <summary>A key of a step.</summary>
internal abstract class RecipeKey(string name, string summary)
{
    public string Name => name;

    public string Summary => summary;

    public abstract string Expected { get; }

    /// <summary>The step with this key; <see langword="null"/> when the node is no value for it.</summary>
    public abstract OptimizationStep? Set(OptimizationStep step, YamlNode node);

    /// <summary>The value that a step has; <see langword="null"/> where nothing is to be written.</summary>
    public abstract YamlNode? Get(OptimizationStep step);

    public abstract void WriteSchema(Utf8JsonWriter writer);
}

/// <inheritdoc cref="RecipeKey"/>
internal sealed class RecipeKey<TStep, T>(string name, RecipeValue<T> kind, Func<TStep, T> get, Func<TStep, T, TStep> set, string summary) : RecipeKey(name, summary)
    where TStep : OptimizationStep
{
    public override string Expected => kind.Expected;

    public override OptimizationStep? Set(OptimizationStep step, YamlNode node) => kind.TryRead(node, out T value) ? set((TStep)step, value) : null;

    public override YamlNode? Get(OptimizationStep step) => kind.ToNode(get((TStep)step));

    public override void WriteSchema(Utf8JsonWriter writer) => kind.WriteSchema(writer);
}
