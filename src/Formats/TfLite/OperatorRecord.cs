namespace Optc.Formats.TfLite;

public sealed partial record OperatorRecord
{
    /// <summary>The options table, whichever union holds it; null when the file has none.</summary>
    public IOperatorOptions? Options => BuiltinOptions as IOperatorOptions ?? BuiltinOptions2;

    /// <summary>The options as the table that the operator's code calls for.</summary>
    /// <returns>The table of the file; the schema's defaults when the file has none.</returns>
    /// <exception cref="MalformedDataException">The operator carries options of another kind.</exception>
    public T Require<T>()
        where T : class, IOperatorOptions, new() => Options switch
        {
            null => new T(),
            T options => options,
            IOperatorOptions other => throw new MalformedDataException(
                -1, "Operator.builtin_options", $"a table {other.GetType().Name}", $"a table {typeof(T).Name}"),
        };
}
