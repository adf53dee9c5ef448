namespace Optc.Ops.Execution;

/// <summary>An op whose result follows from the types of its operands alone, so that a runtime computes it before the run.</summary>
public interface IDependsOnShapesOnly : IExecutable;
