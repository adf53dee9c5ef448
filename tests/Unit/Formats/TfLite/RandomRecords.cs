using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.InteropServices;
using Optc.Formats.TfLite;

namespace Optc.Tests.Unit.Formats.TfLite;

/// <summary>Records of the schema with every property set to something that is not its default.</summary>
internal sealed class RandomRecords(int seed)
{
    private readonly Random random = new(seed);

    public static IReadOnlyList<Type> OptionTypes { get; } =
    [
        .. typeof(IOperatorOptions).Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(IOperatorOptions)) && !type.IsInterface)
            .OrderBy(type => type.Name, StringComparer.Ordinal),
    ];

    public object Create(Type type)
    {
        object record = Activator.CreateInstance(type)!;
        foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
        {
            object value;
            do
            {
                value = Value(property.PropertyType);
            }
            while (value.Equals(property.GetValue(record)));

            property.SetValue(record, value);
        }

        return record;
    }

    private object Value(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>))
        {
            return typeof(RandomRecords).GetMethod(nameof(Vector), BindingFlags.NonPublic | BindingFlags.Instance)!
                .MakeGenericMethod(type.GetGenericArguments()).Invoke(this, null)!;
        }

        if (type.IsEnum)
        {
            Array values = Enum.GetValues(type);
            return values.Length > 1 ? values.GetValue(random.Next(values.Length))! : Enum.ToObject(type, 77);
        }

        return type switch
        {
            _ when type == typeof(bool) => random.Next(2) == 1,
            _ when type == typeof(byte) => (byte)random.Next(256),
            _ when type == typeof(ushort) => (ushort)random.Next(65536),
            _ when type == typeof(int) => random.Next(int.MinValue, int.MaxValue),
            _ when type == typeof(uint) => (uint)random.NextInt64(uint.MaxValue),
            _ when type == typeof(long) => random.NextInt64(long.MinValue, long.MaxValue),
            _ when type == typeof(ulong) => (ulong)random.NextInt64(),
            _ when type == typeof(float) => (float)random.NextDouble(),
            _ when type == typeof(string) => "näme" + random.Next(1000),
            _ when type == typeof(ReadOnlyMemory<byte>) => new ReadOnlyMemory<byte>(Bytes(random.Next(1, 3000))),
            _ when type == typeof(IQuantizationDetails) => OneOf(
                typeof(CustomQuantization), typeof(BlockwiseQuantization), typeof(MultiAxisQuantization)),
            _ when type == typeof(ISparseIndexVector) => OneOf(
                typeof(Int32Vector), typeof(Uint16Vector), typeof(Uint8Vector)),
            _ when type == typeof(IBuiltinOptions) => OneOf(
                [.. OptionTypes.Where(option => option.IsAssignableTo(typeof(IBuiltinOptions)))]),
            _ when type == typeof(IBuiltinOptions2) => OneOf(
                [.. OptionTypes.Where(option => option.IsAssignableTo(typeof(IBuiltinOptions2)))]),
            _ => Create(type),
        };
    }

    private object OneOf(params Type[] types) => Create(types[random.Next(types.Length)]);

    private ImmutableArray<T> Vector<T>()
    {
        T[] elements = new T[random.Next(1, 5)];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = (T)Value(typeof(T));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(elements);
    }

    private byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
