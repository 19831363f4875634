using System.Net;

namespace Broker.Tests.Support;

/// <summary>A test against the shared broker.</summary>
[Collection(SharedBroker.Collection)]
public abstract class SharedBrokerTest(SharedBroker shared) : BrokerTest
{
    protected sealed override IPEndPoint Broker => shared.Endpoint;

    protected BrokerServer Server => shared.Server;
}
