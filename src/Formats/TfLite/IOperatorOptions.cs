namespace Optc.Formats.TfLite;

/// <summary>The options of a builtin operator, from either of the two unions that can hold them.</summary>
public interface IOperatorOptions;

public partial interface IBuiltinOptions : IOperatorOptions;

public partial interface IBuiltinOptions2 : IOperatorOptions;
