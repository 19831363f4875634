using System.Globalization;
using System.Reflection;
using Xunit.Sdk;

namespace Broker.Tests.Support;

/// <summary>Runs a theory once for each version of MQTT.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryVersionAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Enum.GetValues<ProtocolVersion>().Select(version => new object[] { version });
}

/// <summary>Runs a theory for 3.1.1 and 5.0: where CONNACK says Session Present, which 3.1 does not have.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BothVersionsAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        [[ProtocolVersion.Mqtt311], [ProtocolVersion.Mqtt5]];
}

/// <summary>Runs a theory for 3.1.1 and 5.0 with each of QoS 0, 1 and 2.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryQosAttribute(int lowest = 0) : DataAttribute
{
    public int Lowest => lowest;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        from version in (ProtocolVersion[])[ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5]
        from qos in Enumerable.Range(lowest, 3 - lowest)
        select new object[] { version, qos };
}

/// <summary>A test that starts, kills or configures its broker, so not one for BROKER_TEST_ENDPOINT.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OwnFactAttribute : FactAttribute
{
    public OwnFactAttribute() =>
        Skip = SharedBroker.External is null ? null! : "needs a broker of its own, and BROKER_TEST_ENDPOINT names one";
}

/// <inheritdoc cref="OwnFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OwnTheoryAttribute : TheoryAttribute
{
    public OwnTheoryAttribute() => Skip = new OwnFactAttribute().Skip;
}

/// <summary>A test with a broker of its own behind a real HAProxy.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class HAProxyFactAttribute : FactAttribute
{
    public HAProxyFactAttribute() => Skip = HAProxy.Program is null ? "haproxy is not installed" : new OwnFactAttribute().Skip;
}

/// <summary>A test of a broker that may not do everything, see <see cref="Rights"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute() => Skip = Rights.Obstacle ?? new OwnFactAttribute().Skip;
}

/// <summary>As <see cref="UnprivilegedFactAttribute"/>, and the port needs a right, which is for the system to say.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LowPortFactAttribute : FactAttribute
{
    /// <summary>It is below the first port that anybody may open, unless there is no such port.</summary>
    public const int Port = 1;

    private const string FirstFreePort = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

    public LowPortFactAttribute() => Skip = int.Parse(File.ReadAllText(FirstFreePort), CultureInfo.InvariantCulture) <= Port
        ? $"{FirstFreePort}: anybody may open any port here"
        : new UnprivilegedFactAttribute().Skip;
}
