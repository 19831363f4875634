namespace Broker.Grains.Sessions;

/// <summary>A list of deliveries linked through the deliveries themselves: O(1) at both ends and in the middle, no nodes.</summary>
internal sealed class DeliveryList
{
    public Delivery? First { get; private set; }

    public Delivery? Last { get; private set; }

    public int Count { get; private set; }

    public void Append(Delivery item)
    {
        item.List = this;
        item.Previous = Last;
        item.Next = null;
        if (Last is null)
        {
            First = item;
        }
        else
        {
            Last.Next = item;
        }

        Last = item;
        Count++;
    }

    public void Prepend(Delivery item)
    {
        item.List = this;
        item.Next = First;
        item.Previous = null;
        if (First is null)
        {
            Last = item;
        }
        else
        {
            First.Previous = item;
        }

        First = item;
        Count++;
    }

    public void Remove(Delivery item)
    {
        if (item.Previous is null)
        {
            First = item.Next;
        }
        else
        {
            item.Previous.Next = item.Next;
        }

        if (item.Next is null)
        {
            Last = item.Previous;
        }
        else
        {
            item.Next.Previous = item.Previous;
        }

        item.List = null;
        item.Next = null;
        item.Previous = null;
        Count--;
    }
}
