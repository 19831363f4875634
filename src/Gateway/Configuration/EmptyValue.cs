namespace Broker.Gateway.Configuration;

/// <summary>What stands in a file where a value would, without being one.</summary>
internal enum EmptyValue
{
    /// <summary><c>null</c>: as if the key were not there. It has to exist all the same.</summary>
    Null,

    /// <summary><c>{}</c></summary>
    Object,

    /// <summary><c>[]</c></summary>
    Array,
}
