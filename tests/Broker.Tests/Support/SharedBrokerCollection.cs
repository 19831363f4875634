namespace Broker.Tests.Support;

[CollectionDefinition(SharedBroker.Collection)]
public sealed class SharedBrokerCollection : ICollectionFixture<SharedBroker>;
